namespace ImageCriShim.Tests.Faults;

/// <summary>Where figures for people go: a file that the script shows when the tests have ended, or the terminal.</summary>
internal static class Report
{
    public static void Write(IEnumerable<string> lines)
    {
        if (Environment.GetEnvironmentVariable("IMAGE_CRI_SHIM_REPORT") is { Length: > 0 } file)
            File.AppendAllLines(file, lines);
        else
            Console.WriteLine(string.Join('\n', lines));
    }
}
