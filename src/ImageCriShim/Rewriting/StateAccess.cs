using System.Runtime.InteropServices;

namespace ImageCriShim.Rewriting;

/// <summary>
/// Who else may have written what stands in the state directory. The record decides which image a pod is given while everything is down, so
/// it counts only if nobody but root and this process can have written it.
/// </summary>
internal static partial class StateAccess
{
    private const uint Root = 0;

    /// <returns>Why it is not to be trusted, to follow its name in a sentence; null where there is no such file or nothing wrong with it.</returns>
    public static string? FindStranger(string path)
    {
        const UnixFileMode others = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
        if (FileIdentity.Find(path) is not { } file)
            return null;
        if (file.User != Root && file.User != EffectiveUser())
            return $"belongs to user {file.User}";
        return (file.Mode & others) == 0 ? null : $"may be written by others (mode {Convert.ToString((int)file.Mode, 8)})";
    }

    [LibraryImport(LibC.Name, EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial uint EffectiveUser();
}
