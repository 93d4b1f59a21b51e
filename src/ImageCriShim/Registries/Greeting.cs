using System.Net;
using System.Net.Mime;
using ImageCriShim.Registries.Auth;

namespace ImageCriShim.Registries;

/// <summary>
/// What a registry said to <c>GET /v2/</c>, by which it is found out whether there is one and whether it takes the credential (OCI
/// distribution-spec, "Determining Support").
/// </summary>
/// <param name="Account">As whom it was asked.</param>
internal sealed record Greeting(CredentialAnswer Account)
{
    /// <summary>It gave no answer; null: it did.</summary>
    public Exception? Failure { get; init; }

    /// <summary>Why there was none, or no token for the question; null: <see cref="Status"/> is the answer.</summary>
    public string? Reason { get; init; }

    /// <summary>Its token server does not take the account.</summary>
    public bool IsTokenDenied { get; init; }

    public HttpStatusCode Status { get; init; }

    /// <summary>A web page, which no registry would answer with.</summary>
    public bool IsPage { get; init; }

    /// <summary>What time it is there.</summary>
    public DateTimeOffset? Date { get; init; }

    /// <summary>Ends a sentence about the status: <c>for user admin</c>.</summary>
    public string AsWhom { get; init; } = "";

    /// <summary>What it says about a refusal; null: nothing that can be read.</summary>
    public string? Words { get; init; }

    /// <param name="reply">What it answered.</param>
    /// <param name="account">As whom it was asked.</param>
    /// <param name="words">What it says about a refusal (<see cref="RegistryErrors"/>).</param>
    public static Greeting Of(ManifestReply reply, CredentialAnswer account, string? words) => reply.Failure is { } failure
        ? new Greeting(account)
        {
            Reason = failure switch { ProbeResult.Denied denied => denied.Reason, ProbeResult.Unreachable lost => lost.Reason, _ => $"{failure}" },
            IsTokenDenied = failure is ProbeResult.Denied,
        }
        : new Greeting(account)
        {
            Status = reply.Response.StatusCode,
            IsPage = string.Equals(reply.Response.Content.Headers.ContentType?.MediaType, MediaTypeNames.Text.Html, StringComparison.OrdinalIgnoreCase),
            Date = reply.Response.Headers.Date,
            AsWhom = reply.AsWhom,
            Words = words,
        };
}
