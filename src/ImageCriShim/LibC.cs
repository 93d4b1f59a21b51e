namespace ImageCriShim;

internal static class LibC
{
    /// <summary>Its whole name, which musl answers to as well: of <c>libc</c> a hundred other spellings are tried at every start.</summary>
    internal const string Name = "libc.so.6";
}
