import { closeTestBacking } from './backing.ts';

export default closeTestBacking;
