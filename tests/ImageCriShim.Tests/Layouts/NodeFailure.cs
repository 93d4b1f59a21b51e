namespace ImageCriShim.Tests.Layouts;

/// <summary>What would take the node's kubelet down: it is told nonsense, or nobody answers where it calls.</summary>
internal sealed class NodeFailure(string message) : Exception(message);
