/**
 * Error numbers that nvoci may encounter, with the texts of strerror(3). Both machines use asm-generic's numbers.
 *
 * @see errno(3)
 */

export const EPERM = 1;
export const ENOENT = 2;
export const EINTR = 4;
export const EIO = 5;
export const ENXIO = 6;
export const ENOEXEC = 8;
export const EBADF = 9;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EACCES = 13;
export const EBUSY = 16;
export const EEXIST = 17;
export const EXDEV = 18;
export const ENODEV = 19;
export const ENOTDIR = 20;
export const EINVAL = 22;
export const ENFILE = 23;
export const EMFILE = 24;
export const ETXTBSY = 26;
export const ENOSPC = 28;
export const EROFS = 30;
export const ENAMETOOLONG = 36;
export const ENOSYS = 38;
export const ENOTEMPTY = 39;
export const ELOOP = 40;
export const ESTALE = 116;
export const EDQUOT = 122;

type ErrnoTexts = Readonly<Record<number, readonly [name: string, text: string]>>;

let made: ErrnoTexts | undefined;

/** Returns the table. It is created when the first call fails, which does not happen in most runs. */
function texts(): ErrnoTexts {
  made ??= {
    1: ["EPERM", "Operation not permitted"],
    2: ["ENOENT", "No such file or directory"],
    3: ["ESRCH", "No such process"],
    4: ["EINTR", "Interrupted system call"],
    5: ["EIO", "Input/output error"],
    6: ["ENXIO", "No such device or address"],
    7: ["E2BIG", "Argument list too long"],
    8: ["ENOEXEC", "Exec format error"],
    9: ["EBADF", "Bad file descriptor"],
    10: ["ECHILD", "No child processes"],
    11: ["EAGAIN", "Resource temporarily unavailable"],
    12: ["ENOMEM", "Cannot allocate memory"],
    13: ["EACCES", "Permission denied"],
    14: ["EFAULT", "Bad address"],
    16: ["EBUSY", "Device or resource busy"],
    17: ["EEXIST", "File exists"],
    18: ["EXDEV", "Invalid cross-device link"],
    19: ["ENODEV", "No such device"],
    20: ["ENOTDIR", "Not a directory"],
    21: ["EISDIR", "Is a directory"],
    22: ["EINVAL", "Invalid argument"],
    23: ["ENFILE", "Too many open files in system"],
    24: ["EMFILE", "Too many open files"],
    26: ["ETXTBSY", "Text file busy"],
    27: ["EFBIG", "File too large"],
    28: ["ENOSPC", "No space left on device"],
    30: ["EROFS", "Read-only file system"],
    31: ["EMLINK", "Too many links"],
    32: ["EPIPE", "Broken pipe"],
    36: ["ENAMETOOLONG", "File name too long"],
    38: ["ENOSYS", "Function not implemented"],
    39: ["ENOTEMPTY", "Directory not empty"],
    40: ["ELOOP", "Too many levels of symbolic links"],
    75: ["EOVERFLOW", "Value too large for defined data type"],
    95: ["EOPNOTSUPP", "Operation not supported"],
    110: ["ETIMEDOUT", "Connection timed out"],
    116: ["ESTALE", "Stale file handle"],
    122: ["EDQUOT", "Disk quota exceeded"],
  };
  return made;
}

/** Returns the symbolic name of an error number, or `errno 123` when it is not in the table. */
export const errnoName = (errno: number): string => texts()[errno]?.[0] ?? `errno ${errno}`;

/** Returns the text of strerror(3), or an empty string when the number is not in the table. */
export const errnoText = (errno: number): string => texts()[errno]?.[1] ?? "";
