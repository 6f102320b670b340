# The Debian package that `cpack -G DEB` makes in a build directory: both programs, manuals, completions, the user unit.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME adit)
set(CPACK_PACKAGE_VENDOR adit)
set(CPACK_PACKAGE_CONTACT "The adit maintainers <maintainers@adit.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "tunnels and SSH to Azure VMs by their names")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Finds an Azure virtual machine by its name through Azure Resource Manager and
carries many TCP forwards, RDP first of all, over few SSH connections to it.
A ProxyCommand serves ssh, scp, sftp, rsync and git.")
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS openssh-client)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS azure-cli)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_STRIP_FILES ON)
# As an install with DESTDIR: the unit names where aditd will be, not where it was packed.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
include(CPack)
