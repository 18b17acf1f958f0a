/**
 * CEL expressions. Loads the engine: import it lazily, after `hasTemplate` of scan.ts or a `when` says that
 * there is something to compile.
 */
export {
  compileAt,
  compileExpression,
  EvaluationError,
  type ExpectedType,
  type Expression,
  type ExpressionContext,
  evaluateCondition,
  type ParamType,
  type Scope,
  type ScopeName,
  type Uses,
} from './expression.js';
export { locateInScalar } from './spot.js';
export { compileTemplate, type Template } from './template.js';
export { resolveVars } from './vars.js';
