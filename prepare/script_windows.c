/*
 * script_windows: the scripts for RunPowerShellScript, for Windows PowerShell 5.1.
 *
 * sshd reads an administrator's keys from one file of the machine and everybody else's from their profile,
 * and takes neither if others may write to it. Groups and rights go by SID: names differ by language. Bytes
 * of the file and of the key are held as Latin-1, so that nobody's line is changed by being read, and
 * compared by Equals, not by PowerShell's operators, which take some different texts as equal.
 */
#include "base/mem.h"
#include "script_text.h"

#define BEGIN                                                                                                \
    "$ErrorActionPreference = 'Stop'\n"                                                                      \
    "$utf8 = New-Object System.Text.UTF8Encoding($false)\n"                                                  \
    "$raw = [System.Text.Encoding]::GetEncoding(28591)\n"                                                    \
    "[string]$key = $raw.GetString([Convert]::FromBase64String('%s'))\n"                                     \
    "[string]$user = $utf8.GetString([Convert]::FromBase64String('%s'))\n"                                   \
    "$administrator = %s\n"                                                                                  \
    "\n"                                                                                                     \
    "function Get-Sid([string]$name) {\n"                                                                    \
    "    $sid = [System.Security.Principal.SecurityIdentifier]\n"                                            \
    "    if (-not $name.Contains('\\')) {\n"                                                                 \
    "        $local = New-Object System.Security.Principal.NTAccount($env:COMPUTERNAME, $name)\n"            \
    "        try { return $local.Translate($sid).Value } catch { }\n"                                        \
    "    }\n"                                                                                                \
    "    try { return (New-Object System.Security.Principal.NTAccount($name)).Translate($sid).Value }\n"     \
    "    catch { throw ('there is no user ' + $name) }\n"                                                    \
    "}\n"                                                                                                    \
    "\n"                                                                                                     \
    "function Test-Administrator([string]$sid) {\n"                                                          \
    "    $group = New-Object System.Security.Principal.SecurityIdentifier('S-1-5-32-544')\n"                 \
    "    $name = $group.Translate([System.Security.Principal.NTAccount]).Value.Split('\\')[-1]\n"            \
    "    foreach ($member in ([ADSI]('WinNT://./' + $name + ',group')).Invoke('Members')) {\n"               \
    "        $bytes = $member.GetType().InvokeMember('objectSid', 'GetProperty', $null, $member, $null)\n"   \
    "        $one = New-Object System.Security.Principal.SecurityIdentifier([byte[]]$bytes, 0)\n"            \
    "        if ($one.Value.Equals($sid)) { return $true }\n"                                                \
    "    }\n"                                                                                                \
    "    return $false\n"                                                                                    \
    "}\n"                                                                                                    \
    "\n"                                                                                                     \
    "function Test-SameKey([string]$line) {\n"                                                               \
    "    $want = $key.Split(' ')\n"                                                                          \
    "    $have = $line.Trim() -split '[ \\t]+'\n"                                                            \
    "    if ($have[0].StartsWith('#')) { return $false }\n"                                                  \
    "    for ($i = 0; $i + 1 -lt $have.Length; $i++) {\n"                                                    \
    "        if ($have[$i].Equals($want[0]) -and $have[$i + 1].Equals($want[1])) { return $true }\n"         \
    "    }\n"                                                                                                \
    "    return $false\n"                                                                                    \
    "}\n"                                                                                                    \
    "\n"                                                                                                     \
    "function Assert-NoLink([string]$path) {\n"                                                              \
    "    if ((Test-Path -LiteralPath $path) -and\n"                                                          \
    "        ([IO.File]::GetAttributes($path) -band [IO.FileAttributes]::ReparsePoint)) {\n"                 \
    "        throw ($path + ' is a link')\n"                                                                 \
    "    }\n"                                                                                                \
    "}\n"                                                                                                    \
    "\n"                                                                                                     \
    "try {\n"                                                                                                \
    "    if (-not $administrator) {\n"                                                                       \
    "        $sid = Get-Sid $user\n"                                                                         \
    "        $administrator = Test-Administrator $sid\n"                                                     \
    "    }\n"                                                                                                \
    "    $rights = @('*S-1-5-32-544:F', '*S-1-5-18:F')\n"                                                    \
    "    if ($administrator) {\n"                                                                            \
    "        $folder = \"$env:ProgramData\\ssh\"\n"                                                          \
    "        $file = \"$folder\\administrators_authorized_keys\"\n"                                          \
    "        $owner = '*S-1-5-32-544'\n"                                                                     \
    "        if (-not (Test-Path -LiteralPath $folder)) {\n"                                                 \
    "            throw ($folder + ' is missing: no SSH server is installed')\n"                              \
    "        }\n"                                                                                            \
    "    } else {\n"                                                                                         \
    "        $list = 'HKLM:\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList\\'\n"              \
    "        if (-not (Test-Path -LiteralPath ($list + $sid))) {\n"                                          \
    "            throw ($user + ' has no profile yet: sign in once with the password')\n"                    \
    "        }\n"                                                                                            \
    "        $folder = (Get-ItemProperty -LiteralPath ($list + $sid)).ProfileImagePath + '\\.ssh'\n"         \
    "        $file = $folder + '\\authorized_keys'\n"                                                        \
    "        $owner = '*' + $sid\n"                                                                          \
    "        $rights += $owner + ':F'\n"                                                                     \
    "    }\n"                                                                                                \
    "    Assert-NoLink $folder\n"                                                                            \
    "    Assert-NoLink $file\n"                                                                              \
    "    [string]$text = ''\n"                                                                               \
    "    $recoded = $false\n"                                                                                \
    "    if (Test-Path -LiteralPath $file) {\n"                                                              \
    "        $bytes = [IO.File]::ReadAllBytes($file)\n"                                                      \
    "        if ($bytes.Length -gt 1 -and $bytes[0] + $bytes[1] -eq 509 -and $bytes[0] -ge 254) {\n"         \
    "            $bytes = $utf8.GetBytes([IO.File]::ReadAllText($file))\n"                                   \
    "            $recoded = $true\n"                                                                         \
    "        }\n"                                                                                            \
    "        $text = $raw.GetString($bytes)\n"                                                               \
    "    }\n"

#define END                                                                                                  \
    "} catch {\n"                                                                                            \
    "    [Console]::Error.WriteLine('adit: ' + $_.Exception.Message)\n"                                      \
    "    exit 1\n"                                                                                           \
    "}\n"

/* A file in UTF-16, which PowerShell's own redirection makes and sshd cannot read, becomes UTF-8. */
#define ADD                                                                                                  \
    "    $said = 'adit: present'\n"                                                                          \
    "    if (-not ($text.Split(\"`n\") | Where-Object { Test-SameKey $_ })) {\n"                             \
    "        $said = 'adit: added'\n"                                                                        \
    "        [void][IO.Directory]::CreateDirectory($folder)\n"                                               \
    "        if ($recoded) { [IO.File]::WriteAllBytes($file, $raw.GetBytes($text)) }\n"                      \
    "        $more = $key + \"`r`n\"\n"                                                                      \
    "        if ($text.Length -gt 0 -and $text[-1] -ne \"`n\") { $more = \"`r`n\" + $more }\n"               \
    "        $bytes = $raw.GetBytes($more)\n"                                                                \
    "        $stream = [IO.File]::Open($file, 'Append')\n"                                                   \
    "        try { $stream.Write($bytes, 0, $bytes.Length) } finally { $stream.Dispose() }\n"                \
    "    }\n"                                                                                                \
    "    [void](& icacls.exe $file /setowner $owner)\n"                                                      \
    "    if ($LASTEXITCODE -ne 0) { throw ('icacls cannot set the owner of ' + $file) }\n"                   \
    "    [void](& icacls.exe $file /inheritance:r /grant $rights)\n"                                         \
    "    if ($LASTEXITCODE -ne 0) { throw ('icacls cannot set the rights of ' + $file) }\n"                  \
    "    [Console]::Out.WriteLine($said)\n"

#define REMOVE                                                                                               \
    "    $rest = ''\n"                                                                                       \
    "    $said = 'adit: absent'\n"                                                                           \
    "    foreach ($line in [regex]::Split($text, '(?<=\\n)')) {\n"                                           \
    "        if ($line.TrimEnd(\"`r\", \"`n\").Equals($key)) { $said = 'adit: removed' }\n"                  \
    "        else { $rest += $line }\n"                                                                      \
    "    }\n"                                                                                                \
    "    if ($said.Equals('adit: removed')) { [IO.File]::WriteAllBytes($file, $raw.GetBytes($rest)) }\n"     \
    "    [Console]::Out.WriteLine($said)\n"

char *script_windows_key(bool add, const char *key64, const char *user64, bool known)
{
    const char *administrator = known ? "$true" : "$false";
    return add ? mem_printf(BEGIN ADD END, key64, user64, administrator)
               : mem_printf(BEGIN REMOVE END, key64, user64, administrator);
}

char *script_windows_host_keys(void)
{
    return mem_strdup(
        "$ErrorActionPreference = 'Stop'\n"
        "$files = @(Get-ChildItem -Path \"$env:ProgramData\\ssh\\ssh_host_*_key.pub\""
        " -ErrorAction SilentlyContinue)\n"
        "if ($files.Length -eq 0) {\n"
        "    [Console]::Error.WriteLine('adit: there are no host keys: no SSH server is installed')\n"
        "    exit 1\n"
        "}\n"
        "[Console]::Out.WriteLine('adit: host keys')\n"
        "foreach ($file in $files) {\n"
        "    $parts = [IO.File]::ReadAllText($file.FullName).Trim() -split '[ \\t]+'\n"
        "    [Console]::Out.WriteLine($parts[0] + ' ' + $parts[1])\n"
        "}\n"
        "[Console]::Out.WriteLine('adit: end')\n");
}
