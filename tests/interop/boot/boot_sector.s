# A boot sector that tells over the first serial port what a BIOS disk can do: that it was read, the sum
# of 64 sectors, and that a sector was written. boot.bats puts it on an export and lets iPXE boot it.
#
#   as --32 -o boot_sector.o boot_sector.S && ld -m elf_i386 -Ttext 0x7c00 --oformat binary ...
        .code16
        .globl  _start
        .set    PORT, 0x3f8
        .set    BUFFER_SEGMENT, 0x2000
        .set    SECTORS_A_READ, 2       # what iPXE asks for in one frame
        .set    READS, 32              # 64 sectors

_start:
        ljmp    $0, $begin
begin:
        cli
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $0x7c00, %sp
        sti
        movb    %dl, drive
        movw    $hello, %si
        call    print

        # Sums LBA 1 to 64 as bytes.
        movw    $READS, %cx
        movl    $1, packet_lba
        xorw    %bx, %bx                # the sum
next_read:
        pushw   %cx
        movw    $SECTORS_A_READ, packet_count
        movb    $0x42, %ah
        call    disk
        movw    $BUFFER_SEGMENT, %ax
        movw    %ax, %fs
        xorw    %si, %si
        movw    $512 * SECTORS_A_READ, %cx
add_byte:
        movb    %fs:(%si), %al
        xorb    %ah, %ah
        addw    %ax, %bx
        incw    %si
        loop    add_byte
        addl    $SECTORS_A_READ, packet_lba
        popw    %cx
        loop    next_read
        movw    $read_text, %si
        call    print
        movw    %bx, %ax
        call    print_hex
        call    print_line_end

        # LBA 100 becomes what LBA 64 is, the last that was read.
        movw    $1, packet_count
        movl    $100, packet_lba
        movw    $512, packet_offset
        movw    $0x4300, %ax
        call    disk
        movw    $write_text, %si
        call    print
stop:
        hlt
        jmp     stop

# AH: 42h read, 43h write; AL 0.
disk:
        pushw   %bx
        movb    drive, %dl
        movw    $packet, %si
        int     $0x13
        popw    %bx
        jc      failed
        ret
failed:
        movw    $error_text, %si
        call    print
        jmp     stop

print:
        lodsb
        testb   %al, %al
        jz      printed
        call    print_byte
        jmp     print
printed:
        ret

print_byte:
        pushw   %dx
        pushw   %ax
        movw    $PORT + 5, %dx
wait_port:
        inb     %dx, %al
        testb   $0x20, %al
        jz      wait_port
        popw    %ax
        movw    $PORT, %dx
        outb    %al, %dx
        popw    %dx
        ret

print_hex:
        movw    $4, %cx
next_digit:
        rolw    $4, %ax
        pushw   %ax
        andb    $0x0f, %al
        cmpb    $10, %al
        jb      decimal
        addb    $'A' - '0' - 10, %al
decimal:
        addb    $'0', %al
        call    print_byte
        popw    %ax
        loop    next_digit
        ret

print_line_end:
        movw    $line_end, %si
        jmp     print

hello:      .asciz "AOE BOOT OK\r\n"
read_text:  .asciz "READ SUM "
write_text: .asciz "WRITE OK\r\n"
error_text: .asciz "DISK ERROR\r\n"
line_end:   .asciz "\r\n"
drive:      .byte   0
        .balign 4
packet:
        .byte   16, 0
packet_count:
        .word   0
packet_offset:
        .word   0
        .word   BUFFER_SEGMENT
packet_lba:
        .long   0, 0

        .org    510
        .word   0xaa55
