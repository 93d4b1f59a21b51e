using ImageCriShim.Relay;

namespace ImageCriShim.Cri;

/// <summary>A call of ours broke off; the message goes on after "because".</summary>
internal sealed class RuntimeConnectionException(string reason) : Exception(reason);

/// <summary>The runtime's answer is above <see cref="RelayLimits.MessageBytes"/>.</summary>
internal sealed class AnswerTooLargeException : Exception;
