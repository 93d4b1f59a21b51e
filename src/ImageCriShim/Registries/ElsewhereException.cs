namespace ImageCriShim.Registries;

/// <summary>A registry has sent us to another host, and that one did not answer: no connection to the registry itself has failed.</summary>
internal sealed class ElsewhereException(HttpRequestException failure)
    : HttpRequestException(failure.HttpRequestError, failure.Message, failure, failure.StatusCode);
