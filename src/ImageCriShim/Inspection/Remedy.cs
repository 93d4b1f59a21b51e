namespace ImageCriShim.Inspection;

/// <summary>One step that mends something, to be taken literally.</summary>
/// <param name="Kind">What is to be done.</param>
/// <param name="Text">A sentence, a command, or what is to stand in the file; the last without a newline at its end.</param>
/// <param name="File">The file to write into; empty where there is none.</param>
/// <param name="Line">Of that file, counted from 1; 0 where none is meant.</param>
internal sealed record Remedy(RemedyKind Kind, string Text, string File = "", int Line = 0)
{
    public static Remedy Do(string sentence) => new(RemedyKind.Do, PrintableText.Of(sentence));

    public static Remedy Run(string command) => new(RemedyKind.Run, command);

    /// <summary>Make the file, or write it anew.</summary>
    public static Remedy Write(string file, string text) => new(RemedyKind.Write, text, file);

    public static Remedy Replace(string file, int line, string text) => new(RemedyKind.Replace, text, file, line);

    /// <param name="line">0: at the end of the file.</param>
    public static Remedy AddBehind(string file, int line, string text) => new(RemedyKind.Add, text, file, line);

    /// <summary>What to do, without <see cref="Text"/> where that stands on lines of its own.</summary>
    public string Heading => Kind switch
    {
        RemedyKind.Run => $"run: {Text}",
        RemedyKind.Write => $"write {File}:",
        RemedyKind.Replace => $"write as line {Line} of {File}:",
        RemedyKind.Add => Line == 0 ? $"add at the end of {File}:" : $"add behind line {Line} of {File}:",
        _ => Text,
    };

    /// <summary>Empty where <see cref="Heading"/> says it all.</summary>
    public string[] Lines => Kind is RemedyKind.Do or RemedyKind.Run ? [] : Text.Split('\n');
}

internal enum RemedyKind
{
    Do,
    Run,
    Write,
    Replace,
    Add,
}
