namespace ImageCriShim.Registries;

/// <summary>A bound of this process was reached while a registry was asked, through no fault of the registry's.</summary>
/// <param name="message">For people.</param>
internal sealed class OwnLimitException(string message) : IOException(message);
