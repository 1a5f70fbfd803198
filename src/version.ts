/** The release. The build refuses a version other than package.json's. */
export const VERSION = "0.1.0";
