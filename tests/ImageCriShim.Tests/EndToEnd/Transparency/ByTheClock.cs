namespace ImageCriShim.Tests.EndToEnd.Transparency;

/// <summary>Tests with deadlines and keepalives in them run one after the other, not beside each other.</summary>
[CollectionDefinition("by the clock", DisableParallelization = true)]
public sealed class ByTheClock;
