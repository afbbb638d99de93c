/*
 * su-exec USER[:GROUP] PROGRAM [ARGUMENT...]
 *
 * Takes the identity of USER and becomes PROGRAM. Users and groups are names or
 * numbers. Without GROUP the user's own group counts, and the further groups
 * that list the user; with it, only that one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void fail(const char *what, const char *name)
{
    fprintf(stderr, "su-exec: %s %s: %s\n", what, name, errno ? strerror(errno) : "not found");
    exit(126);
}

/* The number that text is as a whole; 0 if it is none. */
static int number(const char *text, unsigned long *value)
{
    char *end;
    if (*text < '0' || *text > '9')
        return 0;
    errno = 0;
    *value = strtoul(text, &end, 10);
    return *end == '\0' && errno == 0 && *value < UINT_MAX;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: su-exec USER[:GROUP] PROGRAM [ARGUMENT...]\n");
        return 125;
    }

    char *user = argv[1];
    char *group = strchr(user, ':');
    if (group)
        *group++ = '\0';

    unsigned long value;
    uid_t uid = getuid();
    gid_t gid = getgid();
    struct passwd *account = NULL;

    if (*user) {
        errno = 0;
        account = getpwnam(user);
        if (!account && number(user, &value)) {
            account = getpwuid(value);
            uid = value;
        } else if (!account) {
            fail("user", user);
        }
    }
    if (account) {
        uid = account->pw_uid;
        gid = account->pw_gid;
    }

    if (group && *group) {
        errno = 0;
        struct group *entry = getgrnam(group);
        if (entry)
            gid = entry->gr_gid;
        else if (number(group, &value))
            gid = value;
        else
            fail("group", group);
        if (setgroups(1, &gid))
            fail("set groups of", user);
    } else if (account) {
        if (initgroups(account->pw_name, gid))
            fail("set groups of", user);
    } else if (setgroups(1, &gid)) {
        fail("set groups of", user);
    }

    if (setgid(gid))
        fail("set group of", user);
    if (setuid(uid))
        fail("become", user);
    if (account && setenv("HOME", account->pw_dir, 1))
        fail("set home of", user);

    execvp(argv[2], argv + 2);
    int missing = errno == ENOENT;
    fprintf(stderr, "su-exec: run %s: %s\n", argv[2], strerror(errno));
    return missing ? 127 : 126;
}
