using System.Text.Json.Nodes;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.Kubelet;

[Collection<ClusterTests>]
[Trait("suite", "kubelet")]
public sealed class RunningOnEveryNode(Cluster cluster)
{
    private const string DaemonSets = "/apis/apps/v1/namespaces/default/daemonsets";

    [Fact]
    public async Task A_daemon_set_serves_its_page_from_every_node()
    {
        await using var offline = cluster.OpenDoor(cluster.Private);
        var name = await PushAndConfigure(offline, "from every node");
        var nodes = cluster.NodeNames.Count();
        await cluster.Api.Create(DaemonSets, DaemonSet(name));
        try
        {
            await cluster.Api.WaitFor($"{DaemonSets}/everywhere", set => (int?)set["status"]?["numberReady"] == nodes, "every pod is ready");
            await EveryPodServes("everywhere", nodes, "from every node");
        }
        finally
        {
            await cluster.Api.Delete($"{DaemonSets}/everywhere");
        }
    }

    [Fact]
    public async Task Helm_installs_a_chart_whose_images_have_public_names()
    {
        await using var offline = cluster.OpenDoor(cluster.Private);
        using var chart = new TempDirectory();
        var name = await PushAndConfigure(offline, "from a chart");
        WriteChart(chart);
        try
        {
            await cluster.Helm("install", "web", chart.Path, "--set", $"image={name}", "--wait", "--timeout", "90s");
            await EveryPodServes("web", 2, "from a chart");
        }
        finally
        {
            await cluster.Helm("uninstall", "web", "--ignore-not-found");
        }
    }

    private async Task<string> PushAndConfigure(Door offline, string page)
    {
        var name = cluster.NewName();
        await cluster.Private.Push(name, TestImage.MakeServing(page));
        foreach (var containerd in KubeletContainerds.All)
            await cluster.NodeOn(containerd).Configure(offline.Address, $"auth: {offline.Auth}\nofflineOnly: true");
        return name;
    }

    private async Task EveryPodServes(string app, int count, string page)
    {
        var pods = (await cluster.Api.Find($"/api/v1/namespaces/default/pods?labelSelector=app%3D{app}"))!["items"]!.AsArray();
        pods.Count.ShouldBe(count);
        foreach (var pod in pods)
            (await ClusterPod.PageAt(new ContainerState(pod!).Address)).ShouldBe(page);
    }

    private static JsonObject DaemonSet(string image) => new()
    {
        ["metadata"] = new JsonObject { ["name"] = "everywhere" },
        ["spec"] = new JsonObject
        {
            ["selector"] = new JsonObject { ["matchLabels"] = new JsonObject { ["app"] = "everywhere" } },
            ["template"] = new JsonObject
            {
                ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["app"] = "everywhere" } },
                ["spec"] = ClusterPod.Spec(image, "IfNotPresent"),
            },
        },
    };

    private static void WriteChart(TempDirectory chart)
    {
        File.WriteAllText(chart.File("Chart.yaml"), "apiVersion: v2\nname: web\nversion: 1.0.0\n");
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(chart.File("templates")).FullName, "deployment.yaml"), """
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: "{{ .Release.Name }}"}
            spec:
              replicas: 2
              selector: {matchLabels: {app: "{{ .Release.Name }}"}}
              template:
                metadata: {labels: {app: "{{ .Release.Name }}"}}
                spec:
                  terminationGracePeriodSeconds: 0
                  containers: [{name: only, image: "{{ .Values.image }}"}]
            """);
    }
}
