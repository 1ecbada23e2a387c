// Downloads a mongod by mongodb-memory-server and notes where it lies. Set-up runs this in a child that it can end.
import { writeFileSync } from 'node:fs';
import { MongoBinary } from 'mongodb-memory-server-core';
import { mongod } from './toolbox.mjs';

const path = await MongoBinary.getPath({ version: mongod.version, downloadDir: mongod.directory });
writeFileSync(mongod.program, path);
