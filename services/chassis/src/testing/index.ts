export { openTokenIssuer, type TokenIssuer } from './tokens.ts';
