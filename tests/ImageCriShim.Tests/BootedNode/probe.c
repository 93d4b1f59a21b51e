// Tries what a unit may forbid, harmlessly, and says for each attempt NAME=ok, NAME=ERRNO, NAME=SIGNAL, or NAME=what was found.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timex.h>
#include <sys/wait.h>

// An attempt's own answer, in place of ok or an error.
enum { SAID = 2 };

static int say(const char *text) { printf("%s\n", text); return SAID; }

static int say_number(unsigned long number, const char *format) {
    char text[64];
    snprintf(text, sizeof text, format, number);
    return say(text);
}

static int write_file(const char *path) {
    int file = open(path, O_CREAT | O_WRONLY, 0666);
    return file < 0 ? -1 : unlink(path);
}

static int say_status(const char *name) {
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (!strncmp(line, name, strlen(name))) {
            line[strcspn(line, "\n")] = 0;
            return say(line + strlen(name) + 2);
        }
    return -1;
}

static int listen_low(void) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(81), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    return bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address);
}

static int gain_by_setuid_program(void) {
    if (setresuid(65534, 65534, 65534)) return -1;
    return execl("/opt/probe", "probe", "--euid", NULL);
}

static int change_owner(void) {
    int file = open("/run/probe-owned", O_CREAT | O_WRONLY, 0600);
    return fchown(file, 33, 33) || unlink("/run/probe-owned");
}

static int make_device(void) {
    return mknod("/run/probe-device", S_IFCHR | 0600, makedev(1, 3)) || unlink("/run/probe-device");
}

static int set_clock(void) {
    struct timex step = { .modes = ADJ_SETOFFSET }; // by nothing
    return adjtimex(&step) < 0 ? -1 : 0;
}

static int make_cgroup(void) { return mkdir("/sys/fs/cgroup/pids/probe", 0755) || rmdir("/sys/fs/cgroup/pids/probe"); }

static int set_hostname(void) {
    char name[256];
    return gethostname(name, sizeof name) || sethostname(name, strlen(name));
}

// A policy that this call does not set up: EINVAL where nothing forbids it. (SCHED_RR may have no share in the node's cgroup.)
static int go_realtime(void) {
    struct sched_param none = { 0 };
    return sched_setscheduler(0, 6 /* SCHED_DEADLINE */, &none);
}

static int set_setuid_bit(void) {
    int file = open("/run/probe-setuid", O_CREAT | O_WRONLY, 0600), code = fchmod(file, 04755), problem = errno;
    unlink("/run/probe-setuid");
    errno = problem;
    return code;
}

static int mode_of_new_file(void) {
    struct stat found;
    int file = open("/run/probe-new", O_CREAT | O_WRONLY, 0666);
    return fstat(file, &found) || unlink("/run/probe-new") ? -1 : say_number(found.st_mode & 0777, "%lo");
}

static int say_limit(int resource) {
    struct rlimit limit;
    return getrlimit(resource, &limit) ? -1 : say_number(limit.rlim_max, "%lu");
}

static int say_mount_namespace(void) {
    char name[64] = "";
    return readlink("/proc/self/ns/mnt", name, sizeof name - 1) < 0 ? -1 : say(name);
}

static int run_32_bit_call(void) {
    long answer;
    __asm__ volatile("int $0x80" : "=a"(answer) : "a"(20) : "memory", "r8", "r9", "r10", "r11"); // getpid
    errno = answer < 0 ? -answer : 0;
    return answer < 0 ? -1 : 0;
}

static int map_to_write_and_execute(void) {
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}

static int set_affinity(void) {
    cpu_set_t cpus;
    return sched_getaffinity(0, sizeof cpus, &cpus) || sched_setaffinity(0, sizeof cpus, &cpus);
}

static int try(const char *name) {
#define ATTEMPT(text, code) if (!strcmp(name, text)) return (code)
    ATTEMPT("capabilities at most", say_status("CapBnd"));
    ATTEMPT("ambient capabilities", say_status("CapAmb"));
    ATTEMPT("no new privileges", say_status("NoNewPrivs"));
    ATTEMPT("listening on a low port", listen_low());
    ATTEMPT("chroot", chroot("/"));
    ATTEMPT("gaining root by a setuid program", gain_by_setuid_program());
    ATTEMPT("a socket for raw packets", socket(AF_PACKET, SOCK_RAW, 0) < 0 ? -1 : 0);
    ATTEMPT("a unix socket", socket(AF_UNIX, SOCK_STREAM, 0) < 0 ? -1 : 0);
    ATTEMPT("an IPv4 socket", socket(AF_INET, SOCK_STREAM, 0) < 0 ? -1 : 0);
    ATTEMPT("an IPv6 socket", socket(AF_INET6, SOCK_STREAM, 0) < 0 ? -1 : 0);
    ATTEMPT("a netlink socket", socket(AF_NETLINK, SOCK_RAW, 0) < 0 ? -1 : 0);
    ATTEMPT("writing in /usr", write_file("/usr/probe-file"));
    ATTEMPT("writing in /etc", write_file("/etc/probe-file"));
    ATTEMPT("writing in /boot", write_file("/boot/probe-file"));
    ATTEMPT("writing in /root", write_file("/root/probe-file"));
    ATTEMPT("writing in /home", write_file("/home/probe-file"));
    ATTEMPT("writing in /run", write_file("/run/probe-file"));
    ATTEMPT("writing in /var/lib", write_file("/var/lib/probe-file"));
    ATTEMPT("reading in /root", open("/root/probe-secret", O_RDONLY) < 0 ? -1 : 0);
    ATTEMPT("reading another user's secret", open("/opt/probe-secret", O_RDONLY) < 0 ? -1 : 0);
    ATTEMPT("mounting", mount("none", "/mnt", "no-such-file-system", 0, NULL));
    ATTEMPT("being traced", ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 ? -1 : 0);
    ATTEMPT("becoming a user", setresuid(0, 0, 0));
    ATTEMPT("changing an owner", change_owner());
    ATTEMPT("a 32-bit system call", run_32_bit_call());
    ATTEMPT("seeing others' /tmp", access("/tmp/probe-file", F_OK));
    ATTEMPT("seeing others' /dev", access("/dev/probe-file", F_OK));
    ATTEMPT("making a device", make_device());
    ATTEMPT("mount namespace", say_mount_namespace());
    ATTEMPT("setting the clock", set_clock());
    ATTEMPT("making a cgroup", make_cgroup());
    ATTEMPT("setting the host name", set_hostname());
    ATTEMPT("reading the kernel's log", klogctl(10, NULL, 0) < 0 ? -1 : 0);
    ATTEMPT("loading a module", (int)syscall(SYS_init_module, NULL, 0, ""));
    ATTEMPT("writing a kernel setting", open("/proc/sys/kernel/panic_on_oops", O_WRONLY) < 0 ? -1 : 0);
    ATTEMPT("another personality", personality(PER_LINUX32) < 0 ? -1 : 0);
    ATTEMPT("a namespace of its own", unshare(CLONE_NEWUTS));
    ATTEMPT("realtime scheduling", go_realtime());
    ATTEMPT("setting the setuid bit", set_setuid_bit());
    ATTEMPT("mode of a new file", mode_of_new_file());
    ATTEMPT("size of a core at most", say_limit(RLIMIT_CORE));
    ATTEMPT("memory to write and execute", map_to_write_and_execute());
    ATTEMPT("choosing its processors", set_affinity());
    ATTEMPT("starting a program", execl("/bin/echo", "echo", "ok", NULL));
    return say("not an attempt of the probe");
}

// Each attempt in a process of its own: some end it, and some would change what the next one may do.
static void report(const char *name) {
    int status, pipe_ends[2];
    char answer[256] = "";
    fflush(stdout);
    if (pipe(pipe_ends)) exit(1);
    pid_t child = fork();
    if (!child) {
        signal(SIGSYS, SIG_DFL);
        dup2(pipe_ends[1], STDOUT_FILENO);
        int code = try(name);
        if (code != SAID) say(code ? strerrorname_np(errno) : "ok");
        fflush(stdout);
        _exit(0);
    }
    close(pipe_ends[1]);
    waitpid(child, &status, 0);
    ssize_t length = read(pipe_ends[0], answer, sizeof answer - 1);
    answer[length > 0 ? strcspn(answer, "\n") : 0] = 0;
    close(pipe_ends[0]);
    printf("%s=%s%s\n", name, WIFSIGNALED(status) ? "SIG" : "", WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : answer);
}

int main(int count, char **names) {
    if (count == 2 && !strcmp(names[1], "--euid")) return say_number(geteuid(), "%lu") != SAID;
    for (int i = 1; i < count; i++) report(names[i]);
    return 0;
}
