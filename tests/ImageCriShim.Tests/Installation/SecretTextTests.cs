using ImageCriShim.Installation;

namespace ImageCriShim.Tests.Installation;

/// <summary>Secrets in settings, units and variables, however they are quoted.</summary>
public sealed class SecretTextTests
{
    private const string Secret = "S3cr3tXq9";

    private static readonly string[] s_flags =
    [
        "--token", "-token", "--bootstrap-token", "--registry-password", "--passwd", "--pw", "--client-secret", "--api-key", "--apikey", "--accessKey", "--access-key-id",
        "--auth", "--registry-auth", "--cred", "--image-credential", "--connection-string", "--bearer", "--jwt", "--pin", "--key", "--tls-private-key", "--sas",
    ];

    // With the flag as F and the value as V; those with quotes hold any value.
    private static readonly string[] s_bare = ["F=V", "F V", "F   V", "F\tV", "F=aV", "F \\\n  V", "- F\n- V", "- F=V", "\"F=V\"", "'F=V'", "F=a,V", "F=V,a"];

    private static readonly string[] s_quoted =
    [
        "F=\"V\"", "F='V'", "F \"V\"", "F 'V'", "\"F\" \"V\"", "'F' 'V'", "F=a\"V\"", "F=\"a\"'V'", "F=a'V'\"b\"", "F=\\\"V\\\"", "F \\\"V\\\"", "F=$'V'",
        "[\"F\", \"V\"]", "[\"F\",\"V\"]", "args: ['F', 'V']", "- \"F\"\n- \"V\"", "\"F\",\n\"V\"", "F \\\n  \"V\"", "F = \"V\"",
    ];

    private static readonly string[] s_words = [Secret, $"-{Secret}", $"/{Secret}+a/b==", $"a=b;Pwd={Secret}", $"u:{Secret}", $"{{{Secret}}}", $"#{Secret}"];

    [Fact]
    public void No_quotes_show_the_value_of_a_flag()
    {
        var values = s_words.Append($"two {Secret} words").Append($"a, {Secret}]").ToList();
        var lines = from flag in s_flags
                    from form in s_bare.Select(form => (Form: form, Values: (IEnumerable<string>)[Secret, $"a=b;Pwd={Secret}", $"u:{Secret}"]))
                        .Concat(s_quoted.Select(form => (Form: form, Values: values.AsEnumerable())))
                    from value in form.Values
                    from line in Wrapped(form.Form.Replace("F", flag).Replace("V", value))
                    select line;
        lines.Count().ShouldBeGreaterThan(5000);
        lines.Where(line => SecretText.Hide(line).Contains(Secret)).Take(20).ShouldBeEmpty();
    }

    [Fact]
    public void What_stands_behind_it_is_shown()
    {
        var lines = from flag in s_flags
                    from form in s_bare.Concat(s_quoted).Where(form => !form.Contains('\n') && !form.Contains("$'"))
                    select $"ExecStart=/usr/bin/kubelet {form.Replace("F", flag).Replace("V", Secret)} --v=2";
        lines.Where(line => !SecretText.Hide(line).EndsWith(" --v=2")).ShouldBeEmpty();
    }

    [Fact]
    public void Lines_stay_lines()
    {
        foreach (var form in s_bare.Concat(s_quoted))
        {
            var text = $"a\n{form.Replace("F", "--token").Replace("V", Secret)}\nb";
            SecretText.Hide(text).Split('\n').Length.ShouldBe(text.Split('\n').Length, text);
        }
    }

    [Theory]
    [InlineData("--url=https://u:S@h/x", "--url=https://***@h/x")]
    [InlineData("--url https://u:a/S@h/x", "--url https://***@h/x")]
    [InlineData("--url=https://u:a@S@h/x", "--url=https://***@h/x")]
    [InlineData("--url=https://h/x?sig=S --v=2", "--url=https://h/x?*** --v=2")]
    [InlineData("--url=\"https://h/?X-Amz-Signature=S\"", "--url=\"https://h/?***\"")]
    [InlineData("--url=https://u:S@h/?code=S&b=c", "--url=https://***@h/?***")]
    [InlineData("--sas ?sig=S", "--sas ***")]
    [InlineData("--blob ?sv=1&sig=S", "--blob ?***")]
    [InlineData("--header \"Authorization: Bearer S\" --v=2", "--header \"Authorization: ***\" --v=2")]
    [InlineData("--header 'Authorization: Basic S' --v=2", "--header 'Authorization: ***' --v=2")]
    [InlineData("--header Authorization:Bearer\\ S", "--header Authorization:***")]
    [InlineData("--header \"X: Bearer S\"", "--header \"X: Bearer ***\"")]
    [InlineData("--connection-string=Server=x;Pwd=S --v=2", "--connection-string=*** --v=2")]
    [InlineData("--db \"Server=x;Pwd=S;Port=1\"", "--db \"Server=x;Pwd=***\"")]
    [InlineData("--node-labels=a=b,password=S", "--node-labels=a=b,password=***")]
    [InlineData("--tok\\\nen S", "--tok\\\nen ***")]
    [InlineData("--token=ab\\\nS", "--token=***\n***")]
    [InlineData("Environment=\"AWS_SECRET_ACCESS_KEY=S\" \"B=1\"", "Environment=\"AWS_SECRET_ACCESS_KEY=***\" \"B=1\"")]
    [InlineData("{\"auths\":{\"h\":{\"auth\":\"S\",\"n\":1}}}", "{\"auths\":***")]
    [InlineData("{\"h\":{\"auth\":\"S\",\"n\":1}}", "{\"h\":{\"auth\":***,\"n\":1}}")]
    [InlineData("token: |\n  S\n  S\nother: 1\n", "token: |\n  ***\n  ***\nother: 1\n")]
    [InlineData("tokens:\n- S\n- S\nother: 1\n", "tokens:\n***\n***\nother: 1\n")]
    [InlineData("auth:\n  username: me\n  password: S\n", "auth:\n  username: me\n  password: ***\n")]
    [InlineData("auth: \"a\n  S\"\nother: 1\n", "auth: ***\n***\nother: 1\n")]
    [InlineData("password = \"S\"\n", "password = ***\n")]
    [InlineData("# don't --token='two S'", "# don't --token=***")]
    [InlineData("x eyJhbGciOiJIUzI1NiJ9.eyJS.S y", "x *** y")]
    public void Secrets_stand_in_many_places(string line, string shown) => SecretText.Hide(line).ShouldBe(shown);

    [Theory]
    [InlineData("kubelet --anonymous-auth=false --rotate-certificates --authentication-token-webhook-cache-ttl=2m")]
    [InlineData("image: corp/auth:1.2")]
    [InlineData("authentication:\n  x509:\n    clientCAFile: /etc/ca.crt\nauthorization:\n  mode: Webhook\n")]
    [InlineData("imagePullCredentialsVerificationPolicy: NeverVerify")]
    [InlineData("docker://h:5000/x@sha256:0123")]
    [InlineData("PassEnvironment=A\nRestart=always\n")]
    [InlineData("datastore-keyfile: /etc/k\ntoken-file: /etc/t\n")]
    public void What_is_none_is_shown(string text) => SecretText.Hide(text).ShouldBe(text);

    [Fact]
    public void A_long_line_of_many_takes_no_time()
    {
        var line = string.Concat(Enumerable.Repeat("token=\"S\" 'a ", 100_000));
        SecretText.Hide(line).ShouldNotContain("S");
    }

    [Theory]
    [InlineData("token: K10abc::server:x", "token: ***")]
    [InlineData("etcd-s3-secret-key: x y", "etcd-s3-secret-key: ***")]
    [InlineData("Environment=\"HTTPS_PROXY=http://me:pass@proxy:3128\" A=b", "Environment=\"HTTPS_PROXY=http://***@proxy:3128\" A=b")]
    [InlineData("datastore-endpoint: mysql://u:p@tcp(db)/k3s", "datastore-endpoint: mysql://***@tcp(db)/k3s")]
    [InlineData("KUBELET_EXTRA_ARGS=\"--password=x --v=2\"", "KUBELET_EXTRA_ARGS=\"--password=*** --v=2\"")]
    [InlineData("ExecStart=/usr/bin/kubelet --authorization-mode=Webhook --tls-private-key-file=/a/b", "ExecStart=/usr/bin/kubelet --authorization-mode=Webhook --tls-private-key-file=/a/b")]
    [InlineData("auth: \"admin:a b\"", "auth: ***")]
    [InlineData("ExecStart=/usr/bin/k3s server --token S3cret --v 2", "ExecStart=/usr/bin/k3s server --token *** --v 2")]
    [InlineData("ARGS=\"--datastore-password S3cret\"", "ARGS=\"--datastore-password ***\"")]
    [InlineData("    '--token' 'two words' \\", "    '--token' *** \\")]
    [InlineData("args: [\"--client-secret\", \"S3cret\", \"--v\", \"2\"]", "args: [\"--client-secret\", ***, \"--v\", \"2\"]")]
    [InlineData("args: [\"--token\",\"S3cret\"]", "args: [\"--token\",***]")]
    [InlineData("-token S3cret", "-token ***")]
    [InlineData("ExecStart=/usr/bin/kubelet --tls-private-key-file /a/b --authorization-mode Webhook", "ExecStart=/usr/bin/kubelet --tls-private-key-file /a/b --authorization-mode Webhook")]
    [InlineData("kubelet --authentication-token-webhook --rotate-certificates", "kubelet --authentication-token-webhook --rotate-certificates")]
    [InlineData("kubelet --image-credential-provider-config \"/etc/p.yaml\"", "kubelet --image-credential-provider-config \"/etc/p.yaml\"")]
    public void Secrets_are_not_shown(string line, string shown) => SecretText.Hide(line).ShouldBe(shown);

    /// <summary>As they stand in a unit, and in quotes of a variable.</summary>
    private static IEnumerable<string> Wrapped(string line)
    {
        yield return $"ExecStart=/usr/bin/kubelet {line} --v=2";
        yield return $"# it isn't {line} --v=2";
        if (!line.Contains('\\') && !line.Contains('\n'))
            yield return $"KUBELET_ARGS=\"{line.Replace("\"", "\\\"")} --v=2\"";
        if (!line.Contains('\''))
            yield return $"KUBELET_ARGS='{line} --v=2'";
    }
}
