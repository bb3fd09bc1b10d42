<#
.SYNOPSIS
Stackwarden on a Windows server: applies the temporary logins that GrantAccess gives, and removes them when they end.

.DESCRIPTION
Asks the service with the instance's own credentials. The private key that passwords are encrypted for is made here, by Windows, and cannot be
taken out. For Windows PowerShell 5.1 on Windows Server 2016 or newer.

.EXAMPLE
.\stackwarden-access.ps1 -Command Install -Url https://abc.execute-api.eu-west-1.amazonaws.com -Region eu-west-1 -StackId 6f0b2c1e-...
#>
[CmdletBinding()]
param(
  [ValidateSet('Install', 'Sync', 'Status', 'Uninstall')]
  [string]$Command = 'Sync',
  [ValidatePattern('^(https://[A-Za-z0-9.-]+)?$')]
  [string]$Url = '',
  [ValidatePattern('^[a-z0-9-]*$')]
  [string]$Region = '',
  [ValidatePattern('^[0-9a-f-]*$')]
  [string]$StackId = ''
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
[Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12

$Folder = Join-Path $env:ProgramData 'Stackwarden'
$ConfigFile = Join-Path $Folder 'access.json'
$Program = Join-Path $Folder 'stackwarden-access.ps1'
$TaskName = 'Stackwarden access'
$KeyName = 'StackwardenAccess'
$Mark = 'Stackwarden: temporary login'
$Imds = 'http://169.254.169.254/latest'
$ValidName = '^sw-[0-9a-f]{8}$'
# By their identifiers, since the groups' names are translated.
$RemoteDesktopUsers = 'S-1-5-32-555'
$Administrators = 'S-1-5-32-544'

function Get-AccessKey {
  $provider = [Security.Cryptography.CngProvider]::MicrosoftSoftwareKeyStorageProvider
  $machine = [Security.Cryptography.CngKeyOpenOptions]::MachineKey
  if ([Security.Cryptography.CngKey]::Exists($KeyName, $provider, $machine)) {
    $key = [Security.Cryptography.CngKey]::Open($KeyName, $provider, $machine)
  }
  else {
    $parameters = New-Object Security.Cryptography.CngKeyCreationParameters
    $parameters.Provider = $provider
    $parameters.KeyCreationOptions = [Security.Cryptography.CngKeyCreationOptions]::MachineKey
    $parameters.ExportPolicy = [Security.Cryptography.CngExportPolicies]::None
    $length = New-Object Security.Cryptography.CngProperty('Length', [BitConverter]::GetBytes(3072), [Security.Cryptography.CngPropertyOptions]::None)
    $parameters.Parameters.Add($length)
    $key = [Security.Cryptography.CngKey]::Create([Security.Cryptography.CngAlgorithm]::Rsa, $KeyName, $parameters)
  }
  New-Object Security.Cryptography.RSACng($key)
}

function Get-InstanceCredential {
  $token = Invoke-RestMethod -Method Put -Uri "$Imds/api/token" -Headers @{ 'X-aws-ec2-metadata-token-ttl-seconds' = '60' } -TimeoutSec 2
  $headers = @{ 'X-aws-ec2-metadata-token' = $token }
  $role = Invoke-RestMethod -Uri "$Imds/meta-data/iam/security-credentials/" -Headers $headers -TimeoutSec 2
  if ($role -notmatch '^[\w+=,.@-]+$') { throw 'the instance has no instance profile' }
  Invoke-RestMethod -Uri "$Imds/meta-data/iam/security-credentials/$role" -Headers $headers -TimeoutSec 2
}

function ConvertTo-Hex([byte[]]$Bytes) {
  -join ($Bytes | ForEach-Object { $_.ToString('x2') })
}

function Get-Sha256([byte[]]$Bytes) {
  $sha = [Security.Cryptography.SHA256]::Create()
  try { ConvertTo-Hex ($sha.ComputeHash($Bytes)) } finally { $sha.Dispose() }
}

function Get-Hmac([byte[]]$Key, [string]$Text) {
  $hmac = New-Object Security.Cryptography.HMACSHA256(, $Key)
  try { , $hmac.ComputeHash([Text.Encoding]::UTF8.GetBytes($Text)) } finally { $hmac.Dispose() }
}

# Source: IAM User Guide, "Create a signed AWS API request".
function Get-SignedHeader($Credential, [string]$HostName, [string]$Path, [byte[]]$Body, [string]$InRegion) {
  $now = [DateTime]::UtcNow
  $time = $now.ToString('yyyyMMddTHHmmssZ', [Globalization.CultureInfo]::InvariantCulture)
  $day = $time.Substring(0, 8)
  $signed = 'host;x-amz-date;x-amz-security-token'
  $canonical = @(
    'POST', $Path, '', "host:$HostName", "x-amz-date:$time", "x-amz-security-token:$($Credential.Token)", '', $signed, (Get-Sha256 $Body)
  ) -join "`n"
  $scope = "$day/$InRegion/execute-api/aws4_request"
  $toSign = @('AWS4-HMAC-SHA256', $time, $scope, (Get-Sha256 ([Text.Encoding]::UTF8.GetBytes($canonical)))) -join "`n"
  $key = [Text.Encoding]::UTF8.GetBytes("AWS4$($Credential.SecretAccessKey)")
  foreach ($part in $day, $InRegion, 'execute-api', 'aws4_request') { $key = Get-Hmac $key $part }
  $signature = ConvertTo-Hex (Get-Hmac $key $toSign)
  @{
    'Authorization'        = "AWS4-HMAC-SHA256 Credential=$($Credential.AccessKeyId)/$scope, SignedHeaders=$signed, Signature=$signature"
    'X-Amz-Date'           = $time
    'X-Amz-Security-Token' = $Credential.Token
  }
}

# The logins that count now; throws where the service could not be asked, or refused.
function Get-Login($Config, [Security.Cryptography.RSACng]$Key) {
  $public = $Key.ExportParameters($false)
  $question = @{
    StackId   = $Config.StackId
    # The service answers a nonce once, so that nobody gets anything by sending a captured request again.
    Nonce     = [Guid]::NewGuid().ToString('N')
    PublicKey = @{ Modulus = [Convert]::ToBase64String($public.Modulus); Exponent = [Convert]::ToBase64String($public.Exponent) }
  }
  $body = [Text.Encoding]::UTF8.GetBytes((ConvertTo-Json $question -Compress))
  $uri = [Uri]"$($Config.Url)/DescribeInstanceAccess"
  $headers = Get-SignedHeader (Get-InstanceCredential) $uri.Host $uri.AbsolutePath $body $Config.Region
  $answer = Invoke-RestMethod -Method Post -Uri $uri -Headers $headers -ContentType 'application/json' -Body $body -TimeoutSec 10
  foreach ($login in @($answer.Logins)) {
    if ($null -ne $login -and $login.username -cmatch $ValidName) { $login }
  }
}

function Get-OwnAccount {
  Get-LocalUser | Where-Object { $_.Name -cmatch $ValidName -and $_.Description -eq $Mark }
}

function Add-Login($Login, [Security.Cryptography.RSACng]$Key) {
  $plain = $Key.Decrypt([Convert]::FromBase64String($Login.encrypted_password), [Security.Cryptography.RSAEncryptionPadding]::OaepSHA256)
  $password = New-Object Security.SecureString
  foreach ($character in [Text.Encoding]::UTF8.GetChars($plain)) { $password.AppendChar($character) }
  [Array]::Clear($plain, 0, $plain.Length)
  $ends = [DateTime]::Parse($Login.expires_at, [Globalization.CultureInfo]::InvariantCulture, [Globalization.DateTimeStyles]::AdjustToUniversal)
  # Windows itself ends the account, even when this is not run any more.
  New-LocalUser -Name $Login.username -Password $password -AccountExpires $ends.ToLocalTime() -Description $Mark -UserMayNotChangePassword | Out-Null
  Add-LocalGroupMember -SID $RemoteDesktopUsers -Member $Login.username
}

function Set-Administrator([string]$Name, [bool]$Is) {
  $sid = (Get-LocalUser -Name $Name).SID
  $has = @(Get-LocalGroupMember -SID $Administrators -ErrorAction SilentlyContinue | Where-Object { $_.SID -eq $sid }).Count -gt 0
  if ($Is -and -not $has) { Add-LocalGroupMember -SID $Administrators -Member $Name }
  if ($has -and -not $Is) { Remove-LocalGroupMember -SID $Administrators -Member $Name }
}

# Ends the sessions too, which an account that is gone would keep.
function Remove-Login([string]$Name) {
  Disable-LocalUser -Name $Name
  Stop-Session $Name
  Remove-LocalUser -Name $Name
}

function Stop-Session([string]$Name) {
  # quser says on its standard error that there is no session; redirected, Windows PowerShell would stop at that.
  $ErrorActionPreference = 'Continue'
  foreach ($line in @(quser.exe $Name 2>$null | Select-Object -Skip 1)) {
    $id = @(-split $line | Where-Object { $_ -match '^\d+$' })[0]
    if ($id) { logoff.exe $id 2>$null }
  }
}

function Sync-Login {
  $config = Get-Content -Raw -Path $ConfigFile | ConvertFrom-Json
  $key = Get-AccessKey
  try {
    $logins = @()
    try { $logins = @(Get-Login $config $key) }
    catch [Net.WebException] {
      # What Stackwarden itself refuses ends now; where it could not be asked, or API Gateway refuses, Windows ends each login at its time.
      if ("$($_.ErrorDetails)" -cnotmatch '^\{"__type":"AccessDeniedException",') { throw }
    }
    $there = @(Get-OwnAccount | ForEach-Object { $_.Name })
    $names = @($logins | ForEach-Object { $_.username })
    # What ends comes first, and one that fails keeps no other from it.
    $failed = @()
    foreach ($name in $there) {
      if ($names -cnotcontains $name) { try { Remove-Login $name } catch { $failed += "${name}: $_" } }
    }
    foreach ($login in $logins) {
      try {
        if ($there -cnotcontains $login.username) { Add-Login $login $key }
        Set-Administrator $login.username ([bool]$login.administrator_privileges)
      }
      catch { $failed += "$($login.username): $_" }
    }
    if ($failed.Count -gt 0) { throw ($failed -join '; ') }
  }
  finally { $key.Dispose() }
}

function Install-Access {
  if ($Url -eq '' -or $Region -eq '' -or $StackId -eq '') { throw '-Url, -Region and -StackId are needed' }
  New-Item -ItemType Directory -Force -Path $Folder | Out-Null
  # For the system and administrators alone: the task runs what is in it.
  icacls.exe $Folder /inheritance:r /grant '*S-1-5-18:(OI)(CI)F' '*S-1-5-32-544:(OI)(CI)F' | Out-Null
  if ($LASTEXITCODE -ne 0) { throw "the rights of $Folder cannot be set" }
  @{ Url = $Url; Region = $Region; StackId = $StackId } | ConvertTo-Json | Set-Content -Path $ConfigFile -Encoding UTF8
  if ($PSCommandPath -ne $Program) { Copy-Item -Force -Path $PSCommandPath -Destination $Program }
  $action = New-ScheduledTaskAction -Execute "$env:SystemRoot\System32\WindowsPowerShell\v1.0\powershell.exe" -Argument "-NoProfile -NonInteractive -ExecutionPolicy Bypass -File `"$Program`" -Command Sync"
  $trigger = New-ScheduledTaskTrigger -Once -At (Get-Date) -RepetitionInterval (New-TimeSpan -Minutes 1)
  $principal = New-ScheduledTaskPrincipal -UserId 'S-1-5-18' -LogonType ServiceAccount -RunLevel Highest
  $settings = New-ScheduledTaskSettingsSet -MultipleInstances IgnoreNew -ExecutionTimeLimit (New-TimeSpan -Minutes 5) -StartWhenAvailable
  Register-ScheduledTask -Force -TaskName $TaskName -Action $action -Trigger $trigger -Principal $principal -Settings $settings | Out-Null
  Sync-Login
}

function Uninstall-Access {
  Unregister-ScheduledTask -TaskName $TaskName -Confirm:$false -ErrorAction SilentlyContinue
  Get-OwnAccount | ForEach-Object { Remove-Login $_.Name }
  Remove-Item -Recurse -Force -Path $Folder
}

switch ($Command) {
  'Install' { Install-Access }
  'Sync' { Sync-Login }
  'Status' { Get-OwnAccount | Select-Object -Property @('Name', 'Enabled', 'AccountExpires') }
  'Uninstall' { Uninstall-Access }
}
