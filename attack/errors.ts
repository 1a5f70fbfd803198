import type { Attack } from './attack.ts'; export const errors: Attack = { name: 'errors', open: async () => ({ trial: () => [], count: 1, close() {} }) };
