using ImageCriShim.Tests.EndToEnd.Transparency;
using ImageCriShim.Tests.Faults;
using ImageCriShim.Tests.Fuzzing;
using ImageCriShim.Tests.Handover;
using ImageCriShim.Tests.Installation;
using ImageCriShim.Tests.Layouts;
using ImageCriShim.Tests.Node;
using ImageCriShim.Tests.Relay;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(ImageCriShim.Tests.LongestFirst))]

namespace ImageCriShim.Tests;

/// <summary>
/// What takes longest begins first, so that no thread is left with a long class at the end. xunit queues all collections at once; the
/// thread that does so goes on with the newest, others with the oldest. A class of half a minute that is not named here costs only time.
/// </summary>
internal sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly Type[] s_longest =
    [
        typeof(RealNodeTests), typeof(ByTheClock), typeof(FaultTests), typeof(KubeletOnGo),
        typeof(InterruptedOnLayouts), typeof(LivingOnLayouts),
        .. typeof(FuzzTarget).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(FuzzTarget))),
        typeof(Interruptions), typeof(Stress), typeof(FuzzTests), typeof(GracefulStops),
        typeof(FlowLedgerPropertyTests), typeof(HandingOver),
    ];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection
    {
        var longestFirst = testCollections.OrderBy(Place).ThenBy(collection => collection.UniqueID).ToArray();
        return [.. longestFirst.Take(1), .. longestFirst.Skip(1).Reverse()];
    }

    private static int Place<TTestCollection>(TTestCollection collection)
        where TTestCollection : ITestCollection
    {
        var name = collection.TestCollectionDisplayName;
        var place = Array.FindIndex(s_longest, type => name.Contains($"{type.FullName} (", StringComparison.Ordinal));
        return place >= 0 ? place : s_longest.Length;
    }
}
