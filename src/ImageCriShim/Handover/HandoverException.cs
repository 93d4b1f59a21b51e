namespace ImageCriShim.Handover;

/// <summary>A handover cannot be completed; the message says why, for the operator. The predecessor goes on serving.</summary>
internal sealed class HandoverException(string message) : Exception(message);
