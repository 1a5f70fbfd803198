import type { Attack } from './attack.ts'; export const hostFiles: Attack = { name: 'host-files', open: async () => ({ trial: () => [], count: 1, close() {} }) };
