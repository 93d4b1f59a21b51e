using ImageCriShim.Inspection;

namespace ImageCriShim.Tests.Inspection;

/// <summary>What CRI-O is told of registries and signatures, and what it means for a shim before it.</summary>
public sealed class CrioAdmitting : NodeTest
{
    private const string Conf = "/etc/containers/registries.conf";
    private const string DropIn = "/etc/containers/registries.conf.d/50-ours.conf";
    private const string Policy = "/etc/crio/policy.json";
    private const string Insecure = $"[[registry]]\nlocation = \"{PreparedNode.HubName}\"\ninsecure = true\n";

    public CrioAdmitting()
    {
        Node.SpeakAs("cri-o", "1.36.0");
        Node.TellConfig($$"""{"sandboxImage":"{{PreparedNode.Pause}}"}""");
        Node.WriteFile(Conf, Insecure);
        Node.WriteFile("/etc/crio/crio.conf.d/10-crio.conf", $"[crio.image]\nsignature_policy = \"{Policy}\"\n");
        Node.WriteFile(Policy, """{"default": [{"type": "insecureAcceptAnything"}]}""");
    }

    [Fact]
    public async Task A_good_one_says_that_short_names_need_nothing()
    {
        var findings = await Node.Look();
        Node.Print(findings.Where(finding => finding.What.StartsWith("cri-o", StringComparison.Ordinal))).ShouldBe("""
            ok       cri-o and hub.corp:5000: is set up for plain http
            ok       cri-o and short names: mean nothing to cri-o (no unqualified-search-registries), and need not: the shim pulls nginx:1.25 by the full names of its registries and finds it by them
            ok       cri-o's policy: admits what the shim pulls, by either name (ROOT/etc/crio/policy.json)

            nothing to mend

            """);
    }

    [Theory]
    [InlineData("unqualified-search-registries = ['docker.io']\n", "are Docker Hub's, as they are for the shim")]
    [InlineData("unqualified-search-registries = ['quay.io', 'docker.io']\nshort-name-mode = 'enforcing'\n", "mean nothing to cri-o (several unqualified-search-registries, short-name-mode enforcing), and need not: the shim pulls nginx:1.25 by the full names of its registries and finds it by them")]
    public async Task Short_names_may_be_Docker_Hub_s_or_nobody_s(string conf, string text)
    {
        Node.WriteFile(Conf, conf + Insecure);
        var finding = (await Node.Look()).Single(finding => finding.What == "cri-o and short names");
        (finding.State, finding.Text).ShouldBe((FindingState.Ok, text));
    }

    [Fact]
    public async Task Short_names_of_other_hosts_are_others_than_the_shim_s()
    {
        Node.WriteFile(Conf, "unqualified-search-registries = ['registry.access.redhat.com', 'docker.io']\n" + Insecure);
        await ShouldSayAndBeMended("""
            warning  cri-o and short names: are looked for in registry.access.redhat.com, docker.io (ROOT/etc/containers/registries.conf:1) when none of the shim's registries has them; the shim takes them for Docker Hub's
                     - write ROOT/etc/containers/registries.conf.d/zz-short-names.conf:
                         unqualified-search-registries = ["docker.io"]
                     - run: systemctl reload crio

            nothing to mend, 1 warning

            """);
    }

    [Fact]
    public async Task A_drop_in_counts_more()
    {
        Node.WriteFile(Conf, "unqualified-search-registries = ['quay.io']\n" + Insecure);
        Node.WriteFile(DropIn, "unqualified-search-registries = []\n");
        (await Node.Complaints()).ShouldBe(NothingToMend);
    }

    [Fact]
    public async Task A_registry_that_is_blocked_serves_nothing()
    {
        Node.WriteFile(DropIn, $"[[registry]]\nprefix = \"{PreparedNode.HubName}\"\nblocked = true\ninsecure = true\n");
        await ShouldSayAndBeMended("""
            problem  cri-o and hub.corp:5000: hub.corp:5000 is blocked (ROOT/etc/containers/registries.conf.d/50-ours.conf:1), so pulls from there fail
                     - write as line 3 of ROOT/etc/containers/registries.conf.d/50-ours.conf:
                         blocked = false
                     - run: systemctl reload crio

            1 to mend

            """);
    }

    [Theory]
    [InlineData("*.corp")]
    [InlineData("hub.corp:5000/site")]
    public async Task So_is_one_by_a_wildcard_or_for_the_path_of_its_address(string prefix)
    {
        Node.Configure($"address: http://{PreparedNode.HubName}/site\n");
        Node.WriteFile(DropIn, $"[[registry]]\nprefix = \"{prefix}\"\nblocked = true\n");
        Node.WriteFile(Conf, prefix[0] == '*' ? "" : Insecure);
        (await Node.Complaints()).ShouldContain($"problem  cri-o and hub.corp:5000: {prefix} is blocked ");
    }

    [Fact]
    public async Task Others_that_are_blocked_are_none_of_ours()
    {
        Node.WriteFile(DropIn, "[[registry]]\nprefix = \"docker.io\"\nblocked = true\n[[registry]]\nprefix = \"hub.corp\"\nblocked = true\n[[registry]]\nprefix = \"hub.corp:5000/a\"\nblocked = true\n");
        (await Node.Complaints()).ShouldBe(NothingToMend);
    }

    [Fact]
    public async Task A_registry_whose_images_come_from_elsewhere_is_not_where_the_shim_looked()
    {
        Node.WriteFile(DropIn, $"""
            [[registry]]
            prefix = "{PreparedNode.HubName}"
            location = "other.corp/a"
            insecure = true
            [[registry.mirror]]
            location = "mirror.corp"

            """);
        (await Node.Complaints()).ShouldBe("""
            warning  cri-o and hub.corp:5000: images of hub.corp:5000 come from other.corp/a (ROOT/etc/containers/registries.conf.d/50-ours.conf:1), where the shim does not look
                     - take location out, or have address name other.corp/a
            warning  cri-o and hub.corp:5000: images of hub.corp:5000 come from mirror.corp first (ROOT/etc/containers/registries.conf.d/50-ours.conf:1), where the shim does not look
                     - take its mirrors out: the shim is told of all registries that have the images

            nothing to mend, 2 warnings

            """);
    }

    [Theory]
    [InlineData("location = \"hub.corp:5000/k8s\"\ninsecure = true\n")]
    [InlineData("[[registry.mirror]]\nlocation = \"hub.corp:5000/k8s\"\ninsecure = true\n")]
    public async Task The_pause_image_may_come_from_elsewhere(string told)
    {
        Node.Runtime.Images.Clear();
        Node.Hub.Add("k8s/pause", "3.9");
        Node.WriteFile(DropIn, $"[[registry]]\nprefix = \"registry.k8s.io\"\n{told}");
        Node.Print(await Node.Look()).ShouldContain("ok       pause image: registry.k8s.io/pause:3.9 is not on the node, but its registry has it\n");
        Node.WriteFile(DropIn, $"[[registry]]\nprefix = \"registry.k8s.io\"\nblocked = true\n{told}");
        Node.Print(await Node.Look()).ShouldContain("cri-o pulls it by itself from registry.k8s.io: unreachable (it is sent nowhere)\n");
    }

    [Fact]
    public async Task A_policy_that_admits_the_names_given_but_not_those_that_are_pulled()
    {
        Node.WriteFile(Policy, """{"default": [{"type": "reject"}], "transports": {"docker": {"docker.io": [{"type": "insecureAcceptAnything"}]}}}""");
        await ShouldSayAndBeMended("""
            problem  cri-o's policy: refuses images of hub.corp:5000 (ROOT/etc/crio/policy.json), so pulls from there fail
                     - write ROOT/etc/crio/policy.json:
                         {
                           "default": [
                             {
                               "type": "reject"
                             }
                           ],
                           "transports": {
                             "docker": {
                               "docker.io": [
                                 {
                                   "type": "insecureAcceptAnything"
                                 }
                               ],
                               "hub.corp:5000": [
                                 {
                                   "type": "insecureAcceptAnything"
                                 }
                               ]
                             }
                           }
                         }
                     - run: systemctl reload crio

            1 to mend

            """);
    }

    [Fact]
    public async Task One_that_admits_the_names_that_are_pulled_but_not_those_given()
    {
        Node.WriteFile(Policy, """{"default": [{"type": "reject"}], "transports": {"docker": {"hub.corp:5000": [{"type": "insecureAcceptAnything"}], "quay.io": [{"type": "reject"}]}}}""");
        (await Node.Complaints()).ShouldStartWith("warning  cri-o's policy: refuses containers whose image is given by a name of Docker Hub (ROOT/etc/crio/policy.json), also if it was pulled from elsewhere; it admits only hub.corp:5000\n");
        await Node.Mend();
        (await Node.Complaints()).ShouldBe(NothingToMend);
    }

    [Fact]
    public async Task One_that_admits_neither_is_mended_by_remedies_that_do_not_undo_each_other()
    {
        Node.WriteFile(Policy, """{"default": [{"type": "reject"}]}""");
        (await Node.Complaints()).ShouldEndWith("\n1 to mend, 1 warning\n");
        await Node.Mend();
        (await Node.Complaints()).ShouldBe(NothingToMend);
    }

    [Theory]
    [InlineData(Conf, "garbage [", "registries.conf")]
    [InlineData(DropIn, "[[registry]\n", "registries.conf")]
    [InlineData("/etc/crio/crio.conf", "x = ", "crio.conf")]
    public async Task A_file_that_is_no_TOML_is_named(string file, string text, string name)
    {
        Node.WriteFile(file, text);
        (await Node.Complaints()).ShouldContain($"problem  cri-o's {name}: ROOT{file} is no TOML: line 1: ");
    }

    [Theory]
    [InlineData("1.27.8", Policy, false)]
    [InlineData("1.28.0", Policy, true)]
    [InlineData("1.36.0", "", false)] // no policy is named: the usual one is asked once
    public async Task A_container_is_looked_at_by_the_name_given_since_1_28_if_a_policy_is_named(string version, string named, bool isTwice)
    {
        Node.SpeakAs("cri-o", version);
        const string onlyHub = """{"default": [{"type": "reject"}], "transports": {"docker": {"hub.corp:5000": [{"type": "insecureAcceptAnything"}]}}}""";
        Node.WriteFile("/etc/crio/crio.conf.d/10-crio.conf", $"[crio.image]\nsignature_policy = \"{named}\"\n");
        Node.WriteFile(Policy, onlyHub);
        Node.WriteFile("/etc/containers/policy.json", onlyHub);
        (await Node.Complaints()).Contains("refuses containers").ShouldBe(isTwice);
    }

    [Theory]
    [InlineData("*.corp")]
    [InlineData("hub.corp:5000")]
    [InlineData("")]
    public async Task Scopes_are_hosts_with_wildcards_or_everything(string scope)
    {
        Node.WriteFile(Policy, $$$"""{"default": [{"type": "reject"}], "transports": {"docker": {"docker.io": [{"type": "insecureAcceptAnything"}], "{{{scope}}}": [{"type": "insecureAcceptAnything"}] } } }""");
        (await Node.Complaints()).ShouldBe(NothingToMend);
    }

    [Fact]
    public async Task A_scope_may_be_a_part_of_a_registry()
    {
        Node.WriteFile(Policy, """{"default": [{"type": "reject"}], "transports": {"docker": {"docker.io": [{"type": "insecureAcceptAnything"}], "hub.corp:5000/library": [{"type": "insecureAcceptAnything"}], "hub.corp:5000/x": [{"type": "reject"}]}}}""");
        (await Node.Complaints()).ShouldBe("""
            warning  cri-o's policy: admits from hub.corp:5000 only hub.corp:5000/library (ROOT/etc/crio/policy.json); other pulls from there fail
                     - admit hub.corp:5000 if the shim is to pull all from there

            nothing to mend, 1 warning

            """);
    }

    [Fact]
    public async Task Signatures_are_for_one_of_the_names()
    {
        const string signed = """[{"type": "sigstoreSigned", "keyPath": "/k.pub"}]""";
        Node.WriteFile(Policy, $$$"""{"default": [{"type": "insecureAcceptAnything"}], "transports": {"docker": {"docker.io": {{{signed}}}, "hub.corp:5000": {{{signed}}} } } }""");
        (await Node.Complaints()).ShouldBe("""
            warning  cri-o's policy: wants images of hub.corp:5000 signed for that very name (ROOT/etc/crio/policy.json): a signature for the name elsewhere does not count
                     - sign them for hub.corp:5000, or add "signedIdentity": {"type": "remapIdentity", "prefix": "hub.corp:5000", "signedPrefix": HOST} for the host that they are signed for
            warning  cri-o's policy: wants images that are given by a name of Docker Hub signed for it (ROOT/etc/crio/policy.json), also if they are pulled from elsewhere
                     - copy their signatures with the images into every registry of the shim

            nothing to mend, 2 warnings

            """);
        const string remapped = """[{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/k", "signedIdentity": {"type": "remapIdentity", "prefix": "hub.corp:5000", "signedPrefix": "docker.io"}}]""";
        Node.WriteFile(Policy, $$$"""{"default": [{"type": "insecureAcceptAnything"}], "transports": {"docker": {"hub.corp:5000": {{{remapped}}} } } }""");
        (await Node.Complaints()).ShouldBe(NothingToMend);
    }

    [Theory]
    [InlineData("", "it is not JSON")]
    [InlineData("{}", "it has no default")]
    [InlineData("""{"default": []}""", "a list of requirements is missing or empty")]
    [InlineData("""{"default": [{"type": "trust"}]}""", "it has a requirement of the type \"trust\"")]
    [InlineData("""{"default": [{"type": "reject"}], "default": [{"type": "reject"}]}""", "it is not JSON")]
    [InlineData("""{"default": [{"type": "reject"}], "transports": {"docker": {"a": 1}}}""", "a list of requirements is missing or empty")]
    public async Task A_policy_that_cannot_be_used_stops_every_pull(string policy, string problem)
    {
        Node.WriteFile(Policy, policy);
        (await Node.Complaints()).ShouldStartWith($"problem  cri-o's policy: ROOT/etc/crio/policy.json cannot be used, so cri-o pulls nothing: {problem}\n");
    }

    [Theory]
    [InlineData(Policy)]
    [InlineData("")]
    public async Task None_at_all_does_so_too(string named)
    {
        Node.WriteFile("/etc/crio/crio.conf.d/10-crio.conf", $"[crio.image]\nsignature_policy = \"{named}\"\n");
        File.Delete(Node.FileOf(Policy));
        var missing = named.Length > 0 ? named : "/etc/containers/policy.json";
        await ShouldSayAndBeMended($$"""
            problem  cri-o's policy: there is no ROOT{{missing}}, and without a policy cri-o pulls nothing
                     - write ROOT{{missing}}:
                         {"default": [{"type": "insecureAcceptAnything"}]}
                     - run: systemctl reload crio

            1 to mend

            """);
    }

    [Fact]
    public async Task A_namespace_may_have_one_of_its_own()
    {
        Node.WriteFile("/etc/crio/policies/prod.json", """{"default": [{"type": "reject"}], "transports": {"docker": {"docker.io": [{"type": "insecureAcceptAnything"}]}}}""");
        (await Node.Complaints()).ShouldStartWith("problem  cri-o's policy for prod: refuses images of hub.corp:5000 (ROOT/etc/crio/policies/prod.json), so pulls from there fail\n");
    }
}
