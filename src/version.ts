/** The release, as package.json has it; the build keeps the two alike. */
export const VERSION = "0.1.0";
