/*
 * called ADDRESSES RESULT PROGRAM [ARGUMENT...]: runs a program and writes down which of its functions are called, in the order of
 * their first calls. ADDRESSES are a file of hexadecimal numbers, RESULT gets some of them.
 *
 * Each function begins with a breakpoint, which its first call removes; so all but the first seconds run at full speed. The program
 * keeps its process: it is the tracer that is the child.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static const unsigned char breakpoint = 0xcc; /* int3 */

static unsigned long *addresses;
static unsigned char *replaced; /* by breakpoints */
static size_t count;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int compare(const void *one, const void *other)
{
    unsigned long a = *(const unsigned long *)one, b = *(const unsigned long *)other;
    return (a > b) - (a < b);
}

static void read_addresses(const char *path)
{
    FILE *file = fopen(path, "r");
    size_t room = 0;
    unsigned long address;
    if (!file)
        fail(path);
    while (fscanf(file, "%lx", &address) == 1) {
        if (count == room && !(addresses = realloc(addresses, (room = room * 2 + 1024) * sizeof *addresses)))
            fail("memory");
        addresses[count++] = address;
    }
    fclose(file);
    qsort(addresses, count, sizeof *addresses, compare);
    if (!(replaced = malloc(count)))
        fail("memory");
}

static void set_breakpoints(int memory)
{
    for (size_t i = 0; i < count; i++)
        if (pread(memory, &replaced[i], 1, addresses[i]) != 1 || pwrite(memory, &breakpoint, 1, addresses[i]) != 1)
            fail("the program's memory");
}

/* Returns 0 where the trap is not one of ours. */
static int leave_breakpoint(pid_t thread, int memory, FILE *result)
{
    struct user_regs_struct registers;
    unsigned char now;
    if (ptrace(PTRACE_GETREGS, thread, 0, &registers) != 0)
        return 1; /* the thread was killed meanwhile */
    unsigned long address = registers.rip - 1;
    unsigned long *found = bsearch(&address, addresses, count, sizeof *addresses, compare);
    if (!found)
        return 0;
    if (pread(memory, &now, 1, address) == 1 && now == breakpoint && replaced[found - addresses] != breakpoint) {
        pwrite(memory, &replaced[found - addresses], 1, address);
        fprintf(result, "%lx\n", address);
    }
    registers.rip = address;
    ptrace(PTRACE_SETREGS, thread, 0, &registers);
    return 1;
}

static void trace(pid_t program, FILE *result)
{
    char path[64];
    int memory = -1, status;
    for (;;) {
        pid_t thread = waitpid(-1, &status, __WALL);
        if (thread < 0 && errno == EINTR)
            continue;
        if (thread < 0 || (thread == program && (WIFEXITED(status) || WIFSIGNALED(status))))
            return;
        if (!WIFSTOPPED(status))
            continue;
        int stop = WSTOPSIG(status), event = status >> 16, pass = 0;
        if (event == PTRACE_EVENT_EXEC) {
            snprintf(path, sizeof path, "/proc/%d/mem", program);
            if ((memory = open(path, O_RDWR)) < 0)
                fail(path);
            set_breakpoints(memory);
        } else if (event == 0 && !(stop == SIGTRAP && leave_breakpoint(thread, memory, result))) {
            pass = stop;
        }
        ptrace(PTRACE_CONT, thread, 0, pass);
    }
}

int main(int argc, char **argv)
{
    int ready[2];
    char octet;
    pid_t program = getpid();
    if (argc < 4)
        return fprintf(stderr, "usage: called ADDRESSES RESULT PROGRAM [ARGUMENT...]\n"), 2;
    read_addresses(argv[1]);
    if (pipe(ready) != 0)
        fail("pipe");
    pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (child > 0) {
        close(ready[1]);
        if (read(ready[0], &octet, 1) != 1)
            return 1;
        close(ready[0]);
        waitpid(child, NULL, 0);
        execv(argv[3], argv + 3);
        fail(argv[3]);
    }
    if (fork() > 0) /* the program must not be told of a child that it knows nothing of */
        _exit(0);
    setsid();
    FILE *result = fopen(argv[2], "w");
    if (!result || ptrace(PTRACE_SEIZE, program, 0, PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC) != 0)
        fail(argv[2]);
    setvbuf(result, NULL, _IOLBF, 0);
    write(ready[1], "", 1);
    close(ready[0]);
    close(ready[1]);
    trace(program, result);
    return fclose(result) != 0;
}
