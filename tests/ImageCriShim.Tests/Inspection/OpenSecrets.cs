namespace ImageCriShim.Tests.Inspection;

public sealed class OpenSecrets : NodeTest
{
    private const UnixFileMode ForAll = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    [Fact]
    public async Task In_the_settings_and_in_files_that_they_name()
    {
        var (password, dropIn) = (Node.Directory.File("password"), Node.Directory.File("image-cri-shim.d/10.yaml"));
        Directory.CreateDirectory(Node.Directory.File("image-cri-shim.d"));
        Write(password, PreparedNode.Password);
        Write(dropIn, $"sealos: {{address: \"http://{PreparedNode.HubName}\", auth: {{username: admin, password: {PreparedNode.Password}}}}}\n");
        Node.Configure($"address: http://{PreparedNode.HubName}\nregistries:\n- {{address: \"http://hub.corp:5000/team\", username: reader, passwordFile: {password}}}\n");
        File.SetUnixFileMode(Node.ConfigPath, ForAll); // nothing secret in it
        await ShouldSayAndBeMended("""
            problem  secrets: DIR/image-cri-shim.d/10.yaml holds secrets and may be read by everybody on this machine
                     - run: chmod 600 DIR/image-cri-shim.d/10.yaml
            problem  secrets: DIR/password is passwordFile of hub.corp:5000 and may be read by everybody on this machine
                     - run: chmod 600 DIR/password

            2 to mend

            """);
    }

    private static void Write(string path, string text)
    {
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, ForAll);
    }
}
