using System.ComponentModel;
using System.Diagnostics;

namespace ImageCriShim.Registries.Auth;

/// <summary>
/// A program that is asked for a credential: the question on its standard input, the answer on its standard output, our own environment. What it
/// writes to its standard error is thrown away, because it may quote secrets.
/// </summary>
internal static class HelperProgram
{
    /// <summary>What kubelet gives its plugins. Nobody waits that long with it: a probe has its own limit.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private const int MaxOutput = 256 * 1024; // an answer is a few KiB; a plugin's may hold a token for each of many registries

    /// <summary>Each is a process, often one with a runtime of its own. What one pull wants is known to the next, so hardly two run at once.</summary>
    internal const int MaxAtOnce = 16;

    private const int MaxWaiting = 1024; // in line, as long as one may run

    private const UnixFileMode AnyExecute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private static readonly Places s_places = new(MaxAtOnce, MaxWaiting, TimeProvider.System);

    public static bool IsExecutable(string path) => File.Exists(path) && (File.GetUnixFileMode(path) & AnyExecute) != 0;

    /// <summary>As a shell finds it, but not in the working directory, where .NET looks first.</summary>
    public static string? FindInPath(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
        .Where(Path.IsPathRooted)
        .Select(directory => Path.Combine(directory, name))
        .FirstOrDefault(IsExecutable);

    public static Task<HelperOutcome> Run(ProcessStartInfo start, byte[] question, TimeProvider time) => Run(start, question, time, s_places);

    /// <param name="places">Of programs that may run; by default those of the process.</param>
    internal static async Task<HelperOutcome> Run(ProcessStartInfo start, byte[] question, TimeProvider time, Places places)
    {
        using var place = await places.Enter(Patience, CancellationToken.None);
        return place is null
            ? HelperOutcome.Failed($"was not started: {MaxAtOnce} such programs run already, which is the limit, and none has ended in time")
            : await Start(start, question, time);
    }

    private static async Task<HelperOutcome> Start(ProcessStartInfo start, byte[] question, TimeProvider time)
    {
        (start.RedirectStandardInput, start.RedirectStandardOutput, start.RedirectStandardError) = (true, true, true);
        using var limit = new CancellationTokenSource(Patience, time);
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            return HelperOutcome.Failed(StartError.Describe(e.NativeErrorCode));
        }

        using (process)
        {
            try
            {
                return await Talk(process, question, limit.Token);
            }
            catch (OperationCanceledException)
            {
                End(process);
                return HelperOutcome.Failed($"gave no answer within {Patience.TotalSeconds:0} s");
            }
        }
    }

    private static async Task<HelperOutcome> Talk(Process process, byte[] question, CancellationToken limit)
    {
        _ = Drain(process.StandardError.BaseStream, limit);
        var output = ReadAll(process.StandardOutput.BaseStream, limit);
        await Ask(process.StandardInput.BaseStream, question, limit);
        if (await output.WaitAsync(limit) is not { } answer)
        {
            End(process);
            return HelperOutcome.Failed($"answered with more than {MaxOutput / 1024} KiB");
        }
        await process.WaitForExitAsync(limit);
        return new HelperOutcome(answer, process.ExitCode, null);
    }

    private static async Task Ask(Stream input, byte[] question, CancellationToken limit)
    {
        try
        {
            await using (input)
                await input.WriteAsync(question, limit);
        }
        catch (IOException)
        {
            // It ended without listening; its answer and exit code tell.
        }
    }

    /// <returns>Null where there is too much.</returns>
    private static async Task<byte[]?> ReadAll(Stream output, CancellationToken limit)
    {
        var buffer = new byte[MaxOutput + 1];
        var length = await output.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, limit);
        return length <= MaxOutput ? buffer[..length] : null;
    }

    /// <summary>So that it never waits for a reader.</summary>
    private static async Task Drain(Stream errors, CancellationToken limit)
    {
        try
        {
            await errors.CopyToAsync(Stream.Null, limit);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // It has ended, or is being ended.
        }
    }

    private static void End(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It has ended already, or a child of it is another user's.
        }
    }
}

/// <param name="Output">Empty where there is a <paramref name="Problem"/>.</param>
/// <param name="ExitCode">0 is success.</param>
/// <param name="Problem">Why there is neither, to follow the program's name in a sentence.</param>
internal sealed record HelperOutcome(byte[] Output, int ExitCode, string? Problem)
{
    public static HelperOutcome Failed(string problem) => new([], -1, problem);
}
