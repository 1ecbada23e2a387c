export { openTokenIssuer, type TokenIssuer } from './tokens.ts';
export { decode, encode } from '../kafka/wire.ts';
