using System.Runtime.InteropServices;

namespace ImageCriShim.Handover;

/// <summary>Starts a program that inherits descriptors of ours: posix_spawn(3). .NET's own Process hands over none but the standard streams.</summary>
internal static partial class PosixSpawn
{
    private const int FileActionsBytes = 256; // posix_spawn_file_actions_t has 80 with glibc and musl
    private const int FirstDescriptor = 3;

    /// <param name="program">An absolute path.</param>
    /// <param name="arguments">The first of them is the program's name.</param>
    /// <param name="environment">Of the form <c>NAME=value</c>.</param>
    /// <param name="descriptors">They become 3, 4, and so on; the program inherits nothing else but the standard streams.</param>
    /// <returns>The process's id; its parent has to <see cref="LibC.TryWaitForChild"/>.</returns>
    /// <exception cref="HandoverException">It cannot be started.</exception>
    public static int Start(string program, IReadOnlyList<string> arguments, IReadOnlyList<string> environment, params IReadOnlyList<int> descriptors)
    {
        // Far above the numbers that they are to have: none may be overwritten before it has been moved itself.
        var moved = descriptors.Select(LibC.DuplicateFarAbove).ToList();
        try
        {
            return Start(program, arguments, environment, moved, FirstDescriptor);
        }
        finally
        {
            moved.ForEach(LibC.CloseDescriptor);
        }
    }

    private static unsafe int Start(string program, IReadOnlyList<string> arguments, IReadOnlyList<string> environment, List<int> descriptors, int first)
    {
        var actions = stackalloc byte[FileActionsBytes];
        _ = InitFileActions(actions);
        try
        {
            for (var index = 0; index < descriptors.Count; index++)
                _ = AddDuplicate(actions, descriptors[index], first + index);
            using var argv = new NativeStrings(arguments);
            using var envp = new NativeStrings(environment);
            var error = Spawn(out var process, program, actions, null, argv.Pointer, envp.Pointer);
            return error == 0 ? process : throw new HandoverException($"{program} {StartError.Describe(error)}");
        }
        finally
        {
            _ = DestroyFileActions(actions);
        }
    }

    [LibraryImport(LibC.Name, EntryPoint = "posix_spawn_file_actions_init")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial int InitFileActions(byte* actions);

    [LibraryImport(LibC.Name, EntryPoint = "posix_spawn_file_actions_adddup2")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial int AddDuplicate(byte* actions, int from, int to);

    [LibraryImport(LibC.Name, EntryPoint = "posix_spawn_file_actions_destroy")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial int DestroyFileActions(byte* actions);

    [LibraryImport(LibC.Name, EntryPoint = "posix_spawn", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial int Spawn(out int process, string program, byte* actions, void* attributes, nint* arguments, nint* environment);

    /// <summary>A null-terminated array of C strings.</summary>
    private sealed unsafe class NativeStrings : IDisposable
    {
        private readonly int _count;

        public NativeStrings(IReadOnlyList<string> strings)
        {
            _count = strings.Count;
            Pointer = (nint*)NativeMemory.AllocZeroed((nuint)(_count + 1), (nuint)sizeof(nint));
            for (var index = 0; index < _count; index++)
                Pointer[index] = Marshal.StringToCoTaskMemUTF8(strings[index]);
        }

        public nint* Pointer { get; }

        public void Dispose()
        {
            for (var index = 0; index < _count; index++)
                Marshal.FreeCoTaskMem(Pointer[index]);
            NativeMemory.Free(Pointer);
        }
    }
}
