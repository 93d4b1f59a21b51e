using ImageCriShim.Configuration;
using ImageCriShim.Rewriting;
using Microsoft.Extensions.Logging;

namespace ImageCriShim.Cri;

/// <summary>What an edited call works with. Immutable: a reload makes a new one, and a call keeps the one it began with.</summary>
internal sealed record CallEnvironment(ShimSettings Settings, Resolver Resolver, RuntimeClient Runtime, TimeProvider Time, ILogger Log);
