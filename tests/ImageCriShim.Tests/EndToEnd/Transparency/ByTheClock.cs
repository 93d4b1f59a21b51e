namespace ImageCriShim.Tests.EndToEnd.Transparency;

/// <summary>
/// Tests with deadlines and keepalives in them run one after the other, not beside each other. Tests of other collections run meanwhile.
/// </summary>
[CollectionDefinition]
public sealed class ByTheClock;
