# What fetchers share: settings of the user's environment, forms of hashes.
{ lib }:
{
  # Environment variables that may reach a download.
  proxyImpureEnvVars = [
    "http_proxy"
    "https_proxy"
    "ftp_proxy"
    "all_proxy"
    "no_proxy"
    "HTTP_PROXY"
    "HTTPS_PROXY"
    "FTP_PROXY"
    "ALL_PROXY"
    "NO_PROXY"
  ];

  # The one hash given in any of the usual ways, as derivation arguments.
  hashOf =
    what: args:
    let
      forms = [ "hash" "sha256" "sha512" "sha1" "md5" "outputHash" ];
      given = builtins.filter (n: (args.${n} or "") != "" && (args.${n} or null) != null) forms;
      form = builtins.head given;
      value = args.${form};
    in
    if given == [ ] then
      if args ? hash || args ? sha256 then
        # An empty hash is how users ask what the right one is.
        { outputHashAlgo = "sha256"; outputHash = lib.fakeSha256; }
      else
        throw "${what}: give a hash (hash, sha256, sha512, sha1 or md5)"
    else if builtins.length given > 1 then
      throw "${what}: more than one hash is given: ${lib.concatStringsSep ", " given}"
    else if form == "outputHash" then
      {
        outputHash = value;
        outputHashAlgo = args.outputHashAlgo or null;
      }
    else if form == "hash" then
      {
        outputHash = value;
        outputHashAlgo = null;
      }
    else
      {
        outputHash = value;
        outputHashAlgo = form;
      };
}
