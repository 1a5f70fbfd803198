import type { Attack } from './attack.ts'; export const images: Attack = { name: 'images', open: async () => ({ trial: () => [], count: 1, close() {} }) };
