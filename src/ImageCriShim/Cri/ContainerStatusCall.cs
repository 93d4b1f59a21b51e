using ImageCriShim.Relay;

namespace ImageCriShim.Cri;

/// <summary>Shows a container's image under the name that was asked for, so that a pod's status says what its manifest says.</summary>
internal sealed class ContainerStatusCall(CallEnvironment environment, CallerHead head) : CriCall(environment, head)
{
    protected override Verdict Decide() => Environment.RestoredNames.IsIdle ? Verdict.Forward : Verdict.Watch;

    protected override Reply OnAnswer(ReadOnlySpan<byte> message) =>
        Environment.RestoredNames.InContainerStatus(message) is { } restored ? Reply.With(restored) : Reply.AsItCame;
}
