import type { Attack } from './attack.ts'; export const bundles: Attack = { name: 'bundles', open: async () => ({ trial: () => [], count: 1, close() {} }) };
