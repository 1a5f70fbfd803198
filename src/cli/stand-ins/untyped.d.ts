declare module "cliui";
declare module "yargs-parser/browser";
