/**
 * Adds items to the end of a list, however many there are. `list.push(...items)` makes each one an argument of a call,
 * and the native program's engine takes 65,534 of those.
 */
export function append<T>(list: T[], items: readonly T[]): void {
  for (let index = 0; index < items.length; index++) list.push(items[index] as T);
}
