/** What discovery knows of the image that it finds files for. It decides where they go, never what is read. */
export interface ContainerFacts {
  /** /etc/debian_version exists. */
  readonly debianLike: boolean;
  /** /usr/lib/<triplet> exists. */
  readonly hasMultiarchDirectory: boolean;
  /** Path of the image's own ldconfig. */
  readonly ldconfig: string | undefined;
}
