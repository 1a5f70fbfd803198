import type { Attack } from './attack.ts'; export const amounts: Attack = { name: 'amounts', open: async () => ({ trial: () => [], count: 1, close() {} }) };
