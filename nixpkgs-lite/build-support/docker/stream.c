/* Writes an image to standard output. The recipe is at the end of this very
 * program: bytes, runs of zeros, and files of the store, in order. The store is
 * the folder that the program lies in, wherever that is.
 *
 * Numbers are little-endian. After the program: the default name (u16 length,
 * bytes), then records:
 *   1  bytes      u32 length, bytes
 *   2  zeros      u64 count
 *   3  file       u64 offset, u64 length, u16 length of the name, name
 *   4  names      a tar member that has the image's name in it: its header of
 *                 512 bytes, u16 count of pieces, each u8 kind (0 bytes,
 *                 1 name:tag, 2 tag, 3 name:tag with registry), u32 length, bytes
 *   0  end
 * and at the very end u64 where the recipe begins, and 8 bytes of magic. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC "GNXSTRM1"
#define MAX_NAME 1024

static char buffer[1 << 20];
static size_t filled;
static FILE *recipe;
static char store[PATH_MAX];

static void die(const char *format, ...) {
  va_list args;
  va_start(args, format);
  fputs("error: ", stderr);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
  exit(1);
}

static void flush(void) {
  for (size_t done = 0; done < filled;) {
    ssize_t n = write(1, buffer + done, filled - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) die("write the image: %s", strerror(errno));
    done += n;
  }
  filled = 0;
}

/* Room for n bytes at most; returns how many there are. */
static size_t room(uint64_t n) {
  if (filled == sizeof buffer) flush();
  size_t left = sizeof buffer - filled;
  return n < left ? n : left;
}

static void emit(const char *data, size_t n) {
  while (n > 0) {
    size_t k = room(n);
    memcpy(buffer + filled, data, k);
    filled += k, data += k, n -= k;
  }
}

static void zeros(uint64_t n) {
  while (n > 0) {
    size_t k = room(n);
    memset(buffer + filled, 0, k);
    filled += k, n -= k;
  }
}

static void take(void *into, size_t n) {
  if (n > 0 && fread(into, 1, n, recipe) != n) die("this program is cut short");
}

static uint64_t number(int bytes) {
  unsigned char b[8];
  uint64_t v = 0;
  take(b, bytes);
  for (int i = bytes; i-- > 0;) v = v << 8 | b[i];
  return v;
}

static void literal(uint64_t n) {
  while (n > 0) {
    size_t k = room(n);
    take(buffer + filled, k);
    filled += k, n -= k;
  }
}

static void file(void) {
  uint64_t offset = number(8), left = number(8);
  size_t n = number(2), base = strlen(store);
  char name[PATH_MAX];
  if (base + n + 2 > sizeof name) die("a name is too long");
  memcpy(name, store, base);
  name[base] = '/';
  take(name + base + 1, n);
  name[base + 1 + n] = 0;
  int fd = open(name, O_RDONLY | O_CLOEXEC);
  if (fd < 0) die("open %s: %s", name, strerror(errno));
  if (offset > 0 && lseek(fd, offset, SEEK_SET) < 0) die("read %s: %s", name, strerror(errno));
  while (left > 0) {
    size_t k = room(left);
    ssize_t got = read(fd, buffer + filled, k);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) die("read %s: %s", name, strerror(errno));
    if (got == 0) die("%s has become shorter", name);
    filled += got, left -= got;
  }
  close(fd);
}

static void octal(char *field, int digits, uint64_t v) {
  for (int i = digits; i-- > 0; v >>= 3) field[i] = '0' + (v & 7);
}

static void names(char *const value[4]) {
  static char *text;
  static size_t size;
  char head[512];
  size_t used = 0;
  take(head, sizeof head);
  for (unsigned pieces = number(2); pieces > 0; pieces--) {
    unsigned kind = number(1);
    size_t n = number(4), have = n;
    if (kind > 3) die("this program is newer than its recipe");
    if (kind > 0) have = strlen(value[kind]);
    if (used + have + n > size && !(text = realloc(text, size = 2 * (used + have + n)))) die("no memory");
    take(text + used, n);
    if (kind > 0) memcpy(text + used, value[kind], have);
    used += have;
  }
  octal(head + 124, 11, used);
  memset(head + 148, ' ', 8);
  unsigned sum = 0;
  for (size_t i = 0; i < sizeof head; i++) sum += (unsigned char)head[i];
  octal(head + 148, 6, sum);
  head[154] = 0;
  emit(head, sizeof head);
  emit(text, used);
  zeros((512 - used % 512) % 512);
}

/* name:tag in the three forms that an archive has. */
static void forms(const char *given, char name[], char tag[], char full[]) {
  if (strlen(given) > MAX_NAME - 40) die("the name '%s' is too long", given);
  if (!*given || given[strspn(given, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/:-")])
    die("'%s' is not a name of an image, such as app/redis:7", given);
  const char *slash = strrchr(given, '/'), *colon = strrchr(given, ':');
  if (!colon || (slash && colon < slash)) sprintf(name, "%s:latest", given);
  else strcpy(name, given);
  strcpy(tag, strrchr(name, ':') + 1);
  if (!*tag) die("'%s' has an empty tag", given);
  const char *first = strchr(name, '/');
  if (!first) sprintf(full, "docker.io/library/%s", name);
  else {
    size_t n = first - name;
    int registry = memchr(name, '.', n) || memchr(name, ':', n) || (n == 9 && !memcmp(name, "localhost", 9));
    sprintf(full, "%s%s", registry ? "" : "docker.io/", name);
  }
}

int main(int argc, char **argv) {
  const char *given = NULL;
  for (int i = 1; i < argc; i++) {
    if (!strncmp(argv[i], "--repo_tag=", 11)) given = argv[i] + 11;
    else if (!strcmp(argv[i], "--repo_tag") || !strcmp(argv[i], "-t")) {
      if (!(given = argv[++i])) die("%s needs a name of the image", argv[i - 1]);
    } else if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help")) {
      printf("Usage: %s [--repo_tag NAME:TAG] | docker load\n\nWrite an image to standard output.\n", argv[0]);
      return 0;
    } else die("unknown argument '%s'; there is --repo_tag NAME:TAG", argv[i]);
  }
  ssize_t n = readlink("/proc/self/exe", store, sizeof store - 1);
  if (n < 0 || !(recipe = fopen("/proc/self/exe", "rb"))) die("find this program: %s", strerror(errno));
  store[n] = 0;
  *strrchr(store, '/') = 0;

  char magic[8];
  if (fseeko(recipe, -16, SEEK_END) != 0) die("read this program: %s", strerror(errno));
  uint64_t start = number(8);
  take(magic, 8);
  if (memcmp(magic, MAGIC, 8)) die("this program has no recipe of an image");
  if (isatty(1)) die("the image would go to the terminal; pipe it, as in: %s | docker load", argv[0]);
  if (fseeko(recipe, start, SEEK_SET) != 0) die("read this program: %s", strerror(errno));
  char fallback[MAX_NAME] = "", name[MAX_NAME], tag[MAX_NAME], full[MAX_NAME];
  size_t length = number(2);
  if (length >= sizeof fallback) die("this program is damaged");
  take(fallback, length);
  forms(given ? given : fallback, name, tag, full);
  char *const value[4] = {NULL, name, tag, full};

  for (;;) switch (number(1)) {
    case 0: flush(); return 0;
    case 1: literal(number(4)); break;
    case 2: zeros(number(8)); break;
    case 3: file(); break;
    case 4: names(value); break;
    default: die("this program is damaged");
    }
}
