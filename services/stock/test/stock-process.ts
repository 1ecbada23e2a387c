import { fileURLToPath } from 'node:url';
import { openServiceProcess } from '@evenkeel/chassis/testing';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

export const openStockProcess = () => openServiceProcess({ main, backing: process.env });
