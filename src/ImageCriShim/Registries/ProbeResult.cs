namespace ImageCriShim.Registries;

/// <summary>What a registry said when asked for a manifest: the table of docs/RESOLVING.md. These are all the cases there are.</summary>
internal abstract record ProbeResult
{
    private ProbeResult()
    {
    }

    /// <summary>From the question to the answer, redirects and second questions included.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>Where the credential that went along came from (<see cref="Auth.CredentialAnswer.From"/>); null where there was none.</summary>
    public string? CredentialFrom { get; init; }

    /// <summary>In a word: <c>found</c>, <c>missing</c>, <c>denied</c>, <c>throttled</c> or <c>unreachable</c>.</summary>
    public string Kind => this switch
    {
        Found => "found",
        Missing => "missing",
        Denied => "denied",
        Throttled => "throttled",
        _ => "unreachable",
    };

    /// <summary>For people; holds no secret and no query of a URL.</summary>
    public abstract override string ToString();

    /// <summary>The manifest is there and of a type that runtimes can use.</summary>
    /// <param name="Digest">As the registry states it; null where it states none.</param>
    /// <param name="MediaType">Of the manifest, without parameters.</param>
    public sealed record Found(string? Digest, string MediaType) : ProbeResult
    {
        public override string ToString() => "found";
    }

    /// <summary>The registry does not have it, or only in a form that the runtime does not take, which the remark says.</summary>
    public sealed record Missing(string? Remark = null) : ProbeResult
    {
        public string? Remark { get; } = Remark is null ? null : PrintableText.Of(Remark);

        /// <summary>Of the index that is there but has no image for this platform; null for every other reason.</summary>
        public string? Digest { get; init; }

        public override string ToString() => Remark is null ? "missing" : $"missing ({Remark})";
    }

    /// <summary>The registry does not tell us. It may well have the image.</summary>
    public sealed record Denied(string Reason) : ProbeResult
    {
        public string Reason { get; } = PrintableText.Of(Reason);

        public override string ToString() => $"denied ({Reason})";
    }

    /// <param name="RetryAfter">How long the registry wants to be left alone; null where it does not say.</param>
    public sealed record Throttled(TimeSpan? RetryAfter) : ProbeResult
    {
        public override string ToString() =>
            RetryAfter is { } wait ? $"throttled (HTTP 429, try again in {Math.Ceiling(wait.TotalSeconds):0} s)" : "throttled (HTTP 429)";
    }

    /// <summary>No answer, or none that a registry would give. Says nothing about the image and is never remembered.</summary>
    public sealed record Unreachable(string Reason) : ProbeResult
    {
        public string Reason { get; } = PrintableText.Of(Reason);

        /// <summary>It is this process that lacks something: the registry is not set aside for it.</summary>
        public bool IsOurs { get; init; }

        /// <summary>
        /// There was no connection to the registry, whatever was asked for. Every other failure may be one of this image alone
        /// (<see cref="SecondOpinion"/>).
        /// </summary>
        public bool IsOfConnection { get; init; }

        /// <summary>
        /// It was asked, and had not answered when the patience ended. A cache that fetches the image from elsewhere first may be as slow as that,
        /// and have it all the same.
        /// </summary>
        public bool IsLate { get; init; }

        /// <summary>How long the registry had been set aside when it was wanted (<see cref="Outages"/>); null if it was asked just now.</summary>
        public TimeSpan? SetAsideFor { get; init; }

        public bool IsSetAside => SetAsideFor is not null;

        public override string ToString() =>
            SetAsideFor is { } age ? $"unreachable ({Reason}; set aside {age.TotalSeconds:0} s ago)" : $"unreachable ({Reason})";
    }
}
