# Licences by short name; the identifiers are those of SPDX.
{ lib }:
let
  free = spdxId: fullName: {
    inherit spdxId fullName;
    free = true;
    url = "https://spdx.org/licenses/${spdxId}.html";
  };
in
builtins.mapAttrs (shortName: l: l // { inherit shortName; deprecated = false; }) {
  agpl3Only = free "AGPL-3.0-only" "GNU Affero General Public License v3.0 only";
  agpl3Plus = free "AGPL-3.0-or-later" "GNU Affero General Public License v3.0 or later";
  asl20 = free "Apache-2.0" "Apache License 2.0";
  bsd2 = free "BSD-2-Clause" "BSD 2-clause licence";
  bsd3 = free "BSD-3-Clause" "BSD 3-clause licence";
  gpl2Only = free "GPL-2.0-only" "GNU General Public License v2.0 only";
  gpl2Plus = free "GPL-2.0-or-later" "GNU General Public License v2.0 or later";
  gpl2 = free "GPL-2.0-only" "GNU General Public License v2.0 only";
  gpl3Only = free "GPL-3.0-only" "GNU General Public License v3.0 only";
  gpl3Plus = free "GPL-3.0-or-later" "GNU General Public License v3.0 or later";
  gpl3 = free "GPL-3.0-only" "GNU General Public License v3.0 only";
  isc = free "ISC" "ISC licence";
  lgpl2Plus = free "LGPL-2.0-or-later" "GNU Library General Public License v2 or later";
  lgpl21Plus = free "LGPL-2.1-or-later" "GNU Lesser General Public License v2.1 or later";
  lgpl3Plus = free "LGPL-3.0-or-later" "GNU Lesser General Public License v3.0 or later";
  mit = free "MIT" "MIT licence";
  mpl20 = free "MPL-2.0" "Mozilla Public License 2.0";
  publicDomain = {
    fullName = "Public domain";
    free = true;
  };
  zlib = free "Zlib" "zlib licence";
  unfree = {
    fullName = "Unfree";
    free = false;
  };
}
