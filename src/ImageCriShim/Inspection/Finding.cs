using System.Collections.Immutable;

namespace ImageCriShim.Inspection;

/// <summary>What was seen of one thing on the node.</summary>
/// <param name="What">What was looked at.</param>
/// <param name="State">Whether it is as it should be.</param>
/// <param name="Text">What was seen, in one line. Holds no secret.</param>
internal sealed record Finding(string What, FindingState State, string Text)
{
    public string Text { get; } = PrintableText.Of(Text, LongestText);

    /// <summary>What to do, in this order; none where all is well.</summary>
    public ImmutableArray<Remedy> Remedies { get; private init; } = [];

    private const int LongestText = 4096; // a list of images, say

    public static Finding Ok(string what, string text) => new(what, FindingState.Ok, text);

    public static Finding Warning(string what, string text, params ImmutableArray<Remedy> remedies) => new(what, FindingState.Warning, text) { Remedies = remedies };

    public static Finding Problem(string what, string text, params ImmutableArray<Remedy> remedies) => new(what, FindingState.Problem, text) { Remedies = remedies };
}

internal enum FindingState
{
    Ok,

    /// <summary>It may be meant so, or is so for a while.</summary>
    Warning,

    /// <summary>It is to be mended.</summary>
    Problem,
}
