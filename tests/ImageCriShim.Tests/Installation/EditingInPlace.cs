using ImageCriShim.Installation;

namespace ImageCriShim.Tests.Installation;

/// <summary>Texts of other programs, edited without anything else in them being changed.</summary>
public sealed class EditingInPlace
{
    private const string Us = "unix:///var/run/image-cri-shim.sock";
    private const string Key = "containerRuntimeEndpoint";

    // As systemd.exec(5) has it for EnvironmentFile=.
    [Theory]
    [InlineData("", "X=--f\n")]
    [InlineData("Y=1\n", "Y=1\nX=--f\n")]
    [InlineData("X=\n", "X=--f\n")]
    [InlineData("X=\"\"\n", "X=\"--f\"\n")]
    [InlineData("X=''\n", "X='--f'\n")]
    [InlineData("X=--a\n", "X=--a --f\n")]
    [InlineData("X=\"--a --b\" \n", "X=\"--a --b --f\" \n")]
    [InlineData("X=--a --b  \n", "X=--a --b --f  \n")]
    [InlineData("X=--a \\\n  --b\nY=1\n", "X=--a \\\n  --b --f\nY=1\n")]
    [InlineData("X=--a \\\n  --b \\\n\nY=1\n", "X=--a \\\n  --b --f \\\n\nY=1\n")]
    [InlineData("X=\"--a \\\n  --b\"\n", "X=\"--a \\\n  --b --f\"\n")]
    [InlineData("X=\"--a\n  --b\"\nY=1\n", "X=\"--a\n  --b --f\"\nY=1\n")]
    [InlineData("X=--a \\\r\n  --b\r\n", "X=--a \\\r\n  --b --f\r\n")]
    [InlineData("# X=--a\n; X=--b\n", "# X=--a\n; X=--b\nX=--f\n")]
    [InlineData("# a \\\nX=--b\n", "# a \\\nX=--b\nX=--f\n")]
    [InlineData("Y=\"\\\"\nX=--a\"\n", "Y=\"\\\"\nX=--a\"\nX=--f\n")]
    [InlineData("X=--a\nX=--b\n", "X=--a\nX=--b --f\n")]
    [InlineData("export X=--a\n", "export X=--a --f\n")]
    [InlineData("Y=1 \\\n", "Y=1 \\\n\nX=--f\n")]
    [InlineData("X=a\\ \n", "X=a\\  --f\n")]
    public void Flags_are_added_to_a_variable(string before, string after) => VariableText.Append(before, "X", "--f").ShouldBe(after);

    [Theory]
    [InlineData("X=--a \\\n --b\n", "--a  --b")]
    [InlineData("X=\"a\"'b'c\n", "abc")]
    [InlineData("X=1\nX=2\n", "2")]
    [InlineData("Y=1\n", null)]
    public void A_variable_is_read(string text, string? value) => VariableText.Find(text, "X").ShouldBe(value);

    [Theory]
    [InlineData("a: 1\n", $"a: 1\n{Key}: {Us}\n")]
    [InlineData($"{Key}: unix:///a # b\n", $"{Key}: {Us} # b\n")]
    [InlineData($"{Key}:\na: 1\n", $"{Key}: {Us}\na: 1\n")]
    [InlineData($"{Key}: \"\"\n", $"{Key}: \"{Us}\"\n")]
    [InlineData($"\"{Key}\": 'unix:///a'\n", $"\"{Key}\": '{Us}'\n")]
    [InlineData($"{{\"{Key}\": \"unix:///a\", \"a\": {{\"{Key}\": \"unix:///b\"}}}}", $"{{\"{Key}\": \"{Us}\", \"a\": {{\"{Key}\": \"unix:///b\"}}}}")]
    [InlineData($"{{\"a\": {{\"{Key}\": \"unix:///b\"}}, \"{Key}\":\"\"}}", $"{{\"a\": {{\"{Key}\": \"unix:///b\"}}, \"{Key}\":\"{Us}\"}}")]
    [InlineData($"{{\n\t\"{Key}\": \"unix:///a\",\n\t\"ä\": 1\n}}\n", $"{{\n\t\"{Key}\": \"{Us}\",\n\t\"ä\": 1\n}}\n")]
    [InlineData($"{{\n  \"ä\": \"ö\",\n  \"{Key}\": \"unix:///a\"\n}}\n", $"{{\n  \"ä\": \"ö\",\n  \"{Key}\": \"{Us}\"\n}}\n")]
    [InlineData("{}", $"{{\"{Key}\": \"{Us}\"}}")]
    [InlineData("{\"a\": 1}", $"{{\"{Key}\": \"{Us}\",\"a\": 1}}")]
    [InlineData("{\n  \"a\": 1\n}\n", $"{{\n  \"{Key}\": \"{Us}\",\n  \"a\": 1\n}}\n")]
    [InlineData($"? {Key}\n: unix:///a\n", $"? {Key}\n: {Us}\n")]
    public void A_key_of_YAML_or_JSON_is_pointed_at_us(string before, string after) => Text(YamlText.Point(Edit(before), Key, Us)).ShouldBe(after);

    [Theory]
    [InlineData($"{Key}: |\n  unix:///a\n")]
    [InlineData($"{Key}: &a unix:///a\nb: *a\n")]
    public void What_could_be_changed_otherwise_than_meant_is_not_changed(string text) =>
        Should.Throw<InstallException>(() => YamlText.Point(Edit(text), Key, Us)).Problems.ShouldHaveSingleItem().ShouldContain(Key);

    [Theory]
    [InlineData("", "l:\n  - \"e\"\n")]
    [InlineData("l:\n- a\n", "l:\n- \"e\"\n- a\n")]
    [InlineData("l: # b\n\n  # c\n  - a\n", "l: # b\n\n  # c\n  - \"e\"\n  - a\n")]
    [InlineData("l: [a]\n", "l: [\"e\", a]\n")]
    [InlineData("l: []\n", "l: [\"e\"]\n")]
    [InlineData("l: a # b\n", "l: [\"e\", 'a'] # b\n")]
    [InlineData("l: \"a=b\"\n", "l: [\"e\", \"a=b\"]\n")]
    [InlineData("l: it's\n", "l: [\"e\", 'it''s']\n")]
    [InlineData("l:\na: 1\n", "l: [\"e\"]\na: 1\n")]
    [InlineData("l: # b\na: 1\n", "l: [\"e\"] # b\na: 1\n")]
    [InlineData("l:\r\n- a\r\n", "l:\r\n- \"e\"\r\n- a\r\n")]
    public void An_entry_is_added_to_a_list(string before, string after) => Text(YamlText.AddEntry(Edit(before), "l", "e")).ShouldBe(after);

    [Theory]
    [InlineData("l: |\n  a\n")]
    [InlineData("l: {a: b}\n")]
    public void A_list_that_is_none_is_not_added_to(string text) => Should.Throw<InstallException>(() => YamlText.AddEntry(Edit(text), "l", "e"));

    private static TextEdit Edit(string text) => new("/a", FileState.Absent, TextEdit.TextOf(System.Text.Encoding.UTF8.GetBytes(text)));

    private static string Text(TextEdit edit) => System.Text.Encoding.UTF8.GetString(TextEdit.BytesOf(edit.Text));
}
