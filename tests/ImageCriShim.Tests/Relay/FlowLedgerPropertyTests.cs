using FsCheck;
using FsCheck.Fluent;

namespace ImageCriShim.Tests.Relay;

/// <summary>
/// Whatever sender, receiver and shim do: no window is exceeded, order within a stream is kept, nothing is lost, the sender's view of
/// the windows does not drift, and all of it arrives although the receiver credits as late as it may.
/// </summary>
public sealed class FlowLedgerPropertyTests
{
    private static readonly Gen<LedgerStep> s_step =
        from kind in Gen.Choose(0, LedgerModel.Kinds - 1)
        from a in Gen.Choose(0, 1000)
        from b in Gen.Choose(0, 100_000)
        select new LedgerStep(kind, a, b);

    [Fact]
    public void The_ledger_holds_against_its_model() => Hold(tests: 400, steps: 150);

    [Fact]
    [Trait("suite", "slow")]
    public void The_ledger_holds_against_its_model_for_long() => Hold(tests: 20_000, steps: 400);

    private static void Hold(int tests, int steps) => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(tests),
        Prop.ForAll(Arb.From(s_step.ArrayOf(steps), Shorter), taken =>
        {
            using var model = new LedgerModel();
            model.Run(taken);
        }));

    private static IEnumerable<LedgerStep[]> Shorter(LedgerStep[] steps)
    {
        for (var length = steps.Length / 2; length >= 1; length /= 2)
        {
            for (var at = 0; at + length <= steps.Length; at += length)
                yield return [.. steps[..at], .. steps[(at + length)..]];
        }
    }
}
