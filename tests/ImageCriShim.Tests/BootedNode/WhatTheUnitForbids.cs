namespace ImageCriShim.Tests.BootedNode;

/// <summary>
/// The hardened unit as systemd applies it. What a restriction forbids works in a unit without it, fails in one that has this restriction
/// alone, and fails in the whole unit.
/// </summary>
[Collection<BootedNodeTests>]
[Trait("suite", "booted")]
public sealed class WhatTheUnitForbids(DebianNode node, Probes probes) : IClassFixture<Probes>
{
    private const string Filter = "SystemCallFilter+SystemCallErrorNumber";

    // Keys of the unit; an attempt; what it leads to without these keys, and with them alone.
    private static readonly (string Keys, string Attempt, string Without, string With)[] s_forbidden =
    [
        ("CapabilityBoundingSet", "chroot", "ok", "EPERM"),
        ("CapabilityBoundingSet", "listening on a low port", "ok", "EACCES"),
        ("CapabilityBoundingSet", "setting the host name", "ok", "EPERM"),
        ("NoNewPrivileges", "gaining root by a setuid program", "0", "65534"),
        ("RestrictAddressFamilies", "a socket for raw packets", "ok", "EAFNOSUPPORT"),
        ("ProtectSystem", "writing in /usr", "ok", "EROFS"),
        ("ProtectSystem", "writing in /etc", "ok", "EROFS"),
        ("ProtectSystem", "writing in /boot", "ok", "EROFS"),
        ("ProtectHome", "writing in /root", "ok", "EROFS"),
        ("ProtectHome", "writing in /home", "ok", "EROFS"),
        (Filter, "mounting", "ENODEV", "EPERM"),
        (Filter, "being traced", "ok", "EPERM"),
        (Filter, "becoming a user", "ok", "EPERM"),
        ("SystemCallFilter", "being traced", "ok", "SIGSYS"), // SystemCallErrorNumber= turns this end of the process into an error
        ("SystemCallArchitectures", "a 32-bit system call", "ok", "SIGSYS"),
        ("PrivateTmp", "seeing others' /tmp", "ok", "ENOENT"),
        ("PrivateDevices", "seeing others' /dev", "ok", "ENOENT"),
        ("PrivateDevices", "making a device", "ok", "EPERM"),
        ("ProtectClock", "setting the clock", "ok", "EPERM"),
        ("ProtectControlGroups", "making a cgroup", "ok", "EROFS"),
        ("ProtectHostname", "setting the host name", "ok", "EPERM"),
        ("ProtectKernelLogs", "reading the kernel's log", "ok", "EPERM"),
        ("ProtectKernelModules", "loading a module", "ENOSYS", "EPERM"),
        ("ProtectKernelTunables", "writing a kernel setting", "ok", "EROFS"),
        ("LockPersonality", "another personality", "ok", "EPERM"),
        ("RestrictNamespaces", "a namespace of its own", "ok", "EPERM"),
        ("RestrictRealtime", "realtime scheduling", "EINVAL", "EPERM"),
        ("RestrictSUIDSGID", "setting the setuid bit", "ok", "EPERM"),
        ("UMask", "mode of a new file", "644", "600"),
        ("LimitCORE", "size of a core at most", "18446744073709551615", "0"),
    ];

    // Values that a process shows of itself.
    private static readonly (string Key, string Attempt, string Value)[] s_shown =
    [
        ("CapabilityBoundingSet", "capabilities at most", "000000000000000f"), // CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER
        ("AmbientCapabilities", "ambient capabilities", "0000000000000000"),
        ("NoNewPrivileges", "no new privileges", "1"),
    ];

    private static readonly string[] s_needed =
    [
        "a unix socket", "an IPv4 socket", "an IPv6 socket", "a netlink socket", "writing in /run", "writing in /var/lib",
        "changing an owner", "reading in /root", "reading another user's secret", "memory to write and execute",
        "choosing its processors", "starting a program",
    ];

    // Restrictions that other tests are about, or that no process notices.
    private static readonly string[] s_elsewhere =
    [
        "LimitNOFILE", "TasksMax", "MemoryHigh", "MemoryMax", // LimitingIt
        "OOMScoreAdjust", // systemd goes on without it where it may not lower it, as here
        "PrivateMounts", // below
        "ProtectProc", // hides nothing from root's group, which the shim is in
        "RemoveIPC", // does nothing for root, who keeps what he has
    ];

    public static IEnumerable<string> Units => s_forbidden.Select(row => row.Keys).Append("PrivateMounts").Distinct();

    public static IEnumerable<string> Attempts =>
        s_forbidden.Select(row => row.Attempt).Concat(s_shown.Select(row => row.Attempt)).Concat(s_needed)
            .Append("mount namespace").Distinct();

    public static TheoryData<string, string, string, string> Forbidden
    {
        get
        {
            var rows = new TheoryData<string, string, string, string>();
            foreach (var (keys, attempt, without, with) in s_forbidden) rows.Add(keys, attempt, without, with);
            return rows;
        }
    }

    public static TheoryData<string, string> Shown
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (var (_, attempt, value) in s_shown) rows.Add(attempt, value);
            return rows;
        }
    }

    public static TheoryData<string> Needed => [.. s_needed];

    [Theory]
    [MemberData(nameof(Forbidden))]
    public void What_a_restriction_forbids_works_without_it_and_fails_with_it(string keys, string attempt, string without, string with)
    {
        probes[Probes.None, attempt].ShouldBe(without);
        probes[keys, attempt].ShouldBe(with);
        probes[Probes.All, attempt].ShouldNotBe(without);
    }

    [Theory]
    [MemberData(nameof(Shown))]
    public void The_process_shows_that_the_restriction_is_in_force(string attempt, string value) =>
        probes[Probes.All, attempt].ShouldBe(value);

    [Theory]
    [MemberData(nameof(Needed))]
    public void What_the_shim_needs_works(string attempt) => probes[Probes.All, attempt].ShouldBe("ok");

    [Fact]
    public void Mounts_are_its_own()
    {
        probes["PrivateMounts", "mount namespace"].ShouldNotBe(probes[Probes.None, "mount namespace"]);
        probes[Probes.All, "mount namespace"].ShouldNotBe(probes[Probes.None, "mount namespace"]);
    }

    [Fact]
    public void What_is_forbidden_ends_no_process_but_one_of_another_architecture() =>
        Attempts.Where(attempt => probes[Probes.All, attempt] == "SIGSYS").ShouldBe(["a 32-bit system call"]);

    [Fact]
    public void Every_restriction_of_the_unit_has_a_test() =>
        probes.Restrictions.Select(Probes.KeyOf).Distinct()
            .Except(s_forbidden.SelectMany(row => row.Keys.Split('+'))).Except(s_shown.Select(row => row.Key)).Except(s_elsewhere)
            .ShouldBeEmpty();

    [Fact]
    public async Task The_serving_process_has_them_too()
    {
        var status = (await node.Run($"cat /proc/{await node.MainPid()}/status")).Split('\n');
        status.ShouldContain("CapBnd:\t000000000000000f");
        status.ShouldContain("CapEff:\t000000000000000f");
        status.ShouldContain("NoNewPrivs:\t1");
        status.ShouldContain("Seccomp:\t2");
    }
}
