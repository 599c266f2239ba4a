// The signatures of a metaobject, as libqi 4 writes them. Layer 1; constants only.

/** One parameter of a method: name and description. */
const PARAMETER = '(ss)<MetaMethodParameter,name,description>';

/** Signature of a metaobject, in annotated form. */
export const METAOBJECT_SIGNATURE: string =
  `({I(Issss[${PARAMETER}]s)<MetaMethod,uid,returnSignature,name,parametersSignature,description,parameters,returnDescription>}` +
  '{I(Iss)<MetaSignal,uid,name,signature>}{I(Iss)<MetaProperty,uid,name,signature>}s)<MetaObject,methods,signals,properties,description>';
